package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"swapmc/dataset"
	"swapmc/internal/atomicfile"
)

func dataCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "data",
		Short: "List, fetch, check and show data sets",
		Args:  noCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		Example: `  swapmc data list
  swapmc data fetch cifar10
  swapmc data check cifar10 --path ~/data/cifar-10-batches-bin
  swapmc data show synth -o sheet.png`,
	}
	cmd.AddCommand(dataListCommand(), dataFetchCommand(), dataCheckCommand(), dataShowCommand())
	return cmd
}

func dataListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the data sets and where they are",
		Args:  arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			for _, info := range dataset.Known() {
				where := "always there"
				if info.Source != nil {
					where = "absent: swapmc data fetch " + info.Name
					if path, err := dataset.Find(info.Name, ""); err == nil {
						where = path
					}
				}
				fmt.Fprintf(t, "%s\t%s\t%s\n", info.Name, info.Description, where)
			}
			return t.Flush()
		},
	}
}

func dataFetchCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "fetch NAME",
		Short: "Download a data set from its official address",
		Long: `Download a data set from its official address and check it. A download that is cut
or stopped is continued by the same command.`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			bar := newFetchBar(cmd.ErrOrStderr(), args[0])
			path, err := dataset.Fetch(cmd.Context(), args[0], dir, bar.set)
			bar.close()
			if cmd.Context().Err() != nil && errors.Is(err, context.Canceled) {
				return &stoppedError{"swapmc data fetch " + args[0]}
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), path)
			return err
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "`folder` to keep it in (default $SWAPMC_DATA, or swapmc in the user's cache)")
	return cmd
}

// fetchBar is the progress bar of a download, made when its size is known.
type fetchBar struct {
	progress *mpb.Progress
	bar      *mpb.Bar
	name     string
}

func newFetchBar(w io.Writer, name string) *fetchBar {
	return &fetchBar{progress: mpb.New(mpb.WithOutput(w)), name: name}
}

func (b *fetchBar) set(have, total int64) {
	if b.bar == nil {
		b.bar = b.progress.AddBar(max(total, 0),
			mpb.PrependDecorators(decor.Name(b.name+" "), decor.CountersKibiByte("% .1f / % .1f")),
			mpb.AppendDecorators(decor.Percentage(), decor.Name(" "), decor.AverageETA(decor.ET_STYLE_GO)))
		b.bar.SetRefill(have)
	}
	b.bar.SetCurrent(have)
}

func (b *fetchBar) close() {
	if b.bar != nil {
		b.bar.Abort(false)
	}
	b.progress.Wait()
}

func dataCheckCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "check NAME",
		Short: "Read all of a data set and print what is in it, or what is wrong with it",
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			set, err := dataset.Open(args[0], path)
			if err != nil {
				return err
			}
			w := cmd.OutOrStdout()
			fmt.Fprintf(w, "%s: %d training and %d test images of %dx%dx%d, all readable\n",
				set.Name, set.Train.Len(), set.Test.Len(), set.Shape.C, set.Shape.H, set.Shape.W)
			fmt.Fprintf(w, "channel means %.4f, standard deviations %.4f (of pixel/255, training images)\n\n", set.Mean, set.Std)
			t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
			fmt.Fprintln(t, "class\ttraining\ttest")
			train, test := count(&set.Train, len(set.Classes)), count(&set.Test, len(set.Classes))
			for c, name := range set.Classes {
				fmt.Fprintf(t, "%s\t%d\t%d\n", name, train[c], test[c])
			}
			return t.Flush()
		},
	}
	cmd.Flags().StringVar(&path, "path", "", "`folder` or archive of its files (default: where fetch puts them)")
	return cmd
}

func count(s *dataset.Split, classes int) []int {
	n := make([]int, classes)
	for _, l := range s.Labels {
		n[l]++
	}
	return n
}

func dataShowCommand() *cobra.Command {
	var path, out string
	var columns int
	cmd := &cobra.Command{
		Use:   "show NAME -o FILE.png",
		Short: "Draw the first training images of each class",
		Args:  arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return &usageError{errors.New("data show: want a file for the picture: -o sheet.png")}
			}
			if columns < 1 || columns > 100 {
				return &usageError{fmt.Errorf("--columns=%d: want 1 to 100 images a class", columns)}
			}
			set, err := dataset.Open(args[0], path)
			if err != nil {
				return err
			}
			return atomicfile.Write(out, func(w io.Writer) error { return png.Encode(w, sheet(set, columns)) })
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "PNG `file` to write")
	cmd.Flags().StringVar(&path, "path", "", "`folder` or archive of its files (default: where fetch puts them)")
	cmd.Flags().IntVar(&columns, "columns", 16, "images a class")
	return cmd
}

// sheet puts the first images of each class in a row, two pixels apart.
func sheet(set *dataset.Set, columns int) image.Image {
	s := set.Shape
	picture := image.NewRGBA(image.Rect(0, 0, columns*(s.W+2), len(set.Classes)*(s.H+2)))
	drawn := make([]int, len(set.Classes))
	for i, class := range set.Train.Labels {
		if drawn[class] == columns {
			continue
		}
		pixels := set.Train.Images[i*s.Len():][:s.Len()]
		for y := range s.H {
			for x := range s.W {
				at := func(c int) uint8 { return pixels[(min(c, s.C-1)*s.H+y)*s.W+x] }
				picture.Set(drawn[class]*(s.W+2)+x, int(class)*(s.H+2)+y, color.RGBA{at(0), at(1), at(2), 255})
			}
		}
		drawn[class]++
	}
	return picture
}
