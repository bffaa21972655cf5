package draw

import (
	"fmt"
	"io"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgsvg"

	"swapmc/swap"
)

// The sheet, in points.
const (
	tileWidth   = 258.0
	tileBetween = 30.0 // the panels of a tile
	gutterX     = 30.0
	gutterY     = 20.0
	sheetSeed   = 1
)

var (
	sheetStyle = style{size: 13, bold: true, color: ink}
	codeStyle  = style{size: 10, bold: true, mono: true, color: ink}
	tileStyle  = style{size: fontSize, color: quiet}
)

// A tile is one code of a sheet.
type tile struct {
	code    string
	picture *Picture
	layout  layout
	caption []string
}

// head is the height of what stands above a tile's panels.
func (t *tile) head() float64 { return 12 + leading*float64(len(t.caption)) + 5 }

// Sheet draws every code of a target, small and labelled, as one SVG. It is an
// error if the target is unknown.
func Sheet(w io.Writer, target swap.Target) error {
	codes := swap.Codes(target)
	if len(codes) == 0 {
		return fmt.Errorf("draw: unknown target %q: want one of %v", target, swap.Targets())
	}
	measure := newPen(nil, 0)
	var tiles []tile
	for _, code := range codes {
		pic, err := Protocol(swap.Protocol{Target: target, Code: code, P: 1, Every: 1, N: swap.Count{Value: 1}, Accept: swap.Always}, sheetSeed)
		if err != nil {
			return fmt.Errorf("draw: %w", err)
		}
		tiles = append(tiles, tile{
			code:    code,
			picture: pic,
			layout:  pic.arrange((tileWidth-tileBetween)/2, false),
			caption: measure.wrap(tileStyle, tileWidth, sentence(swap.Describe(target, code))),
		})
	}

	columns := min(2, len(tiles))
	width := 2*margin + float64(columns)*tileWidth + float64(columns-1)*gutterX
	legend := measure.wrap(captionStyle, width-2*margin, legend(target))
	top := margin + 18 + captionLeading*float64(len(legend)) + 14

	// The tallest tile of a row makes its height.
	height := top
	var rows []float64 // upper edge of each row
	for i := 0; i < len(tiles); i += columns {
		rows = append(rows, height)
		tallest := 0.0
		for _, t := range tiles[i:min(i+columns, len(tiles))] {
			tallest = max(tallest, t.head()+t.layout.height)
		}
		height += tallest + gutterY
	}
	height += margin - gutterY

	c := vgsvg.New(vg.Length(width), vg.Length(height))
	p := newPen(c, height)
	p.grain = 10
	var page vg.Path
	p.rect(&page, 0, 0, width, height)
	p.fill(page, white)
	p.text(margin, margin+12, 0, sheetStyle, string(target))
	for i, line := range legend {
		p.text(margin, margin+18+captionLeading*float64(i+1), 0, captionStyle, line)
	}
	for i := range tiles {
		tiles[i].draw(p, margin+float64(i%columns)*(tileWidth+gutterX), rows[i/columns])
	}
	return writeSVG(w, c)
}

// legend explains the letters and the panels.
func legend(target swap.Target) string {
	s := "Left before, right after; a cell keeps its colour as it moves."
	if axes := target.Axes(); len(axes) > 1 {
		s = fmt.Sprintf("One letter for each of %s: 1 one of them, S two that are exchanged, A all. ", strings.Join(axes, ", ")) + s
	}
	return s
}

func (t *tile) draw(p *pen, x, y float64) {
	p.text(x, y+9, 0, codeStyle, t.code)
	for i, line := range t.caption {
		p.text(x, y+11+leading*float64(i+1), 0, tileStyle, line)
	}
	y += t.head()
	t.picture.panel(p, t.layout, x, y, false)
	t.picture.panel(p, t.layout, x+t.layout.width+tileBetween, y, true)
	p.arrow(x+t.layout.width+8, y+t.layout.height/2, tileBetween-16, quiet)
}
