package draw

import (
	"fmt"
	"io"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgsvg"

	"swapmc/swap"
)

func sheet(w io.Writer, target swap.Target) error {
	return fmt.Errorf("todo %s %v %T", target, vg.Inch, vgsvg.New)
}
