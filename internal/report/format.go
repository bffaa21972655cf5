package report

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"regexp"
	"strconv"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"

	"swapmc/internal/atomicfile"
)

// A Format of figures.
type Format string

// The formats. Files of a figure are named after them.
const (
	SVG Format = "svg"
	PDF Format = "pdf"
	PNG Format = "png" // 300 dots an inch
)

// Formats are all of them.
func Formats() []Format { return []Format{SVG, PDF, PNG} }

// write writes a figure to path with the ending of each of some formats; of all without.
func write(path string, figure func(io.Writer, Format) error, formats ...Format) error {
	if len(formats) == 0 {
		formats = Formats()
	}
	for _, format := range formats {
		if err := atomicfile.Write(path+"."+string(format), func(w io.Writer) error { return figure(w, format) }); err != nil {
			return err
		}
	}
	return nil
}

// render draws in a format. The same figure has the same bytes, whenever it is drawn.
func render(w io.Writer, format Format, width, height vg.Length, paint func(draw.Canvas) error) error {
	var c vg.CanvasWriterTo
	switch format {
	case SVG:
		c = vgsvg.New(width, height)
	case PDF:
		c = vgpdf.New(width, height)
	case PNG:
		c = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(pixelsDPI))}
	default:
		return fmt.Errorf("figure: no format %q", format)
	}
	if err := paint(draw.New(c)); err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	text := b.Bytes()
	switch format {
	case SVG: // fonts of the same widths for where there is no Liberation Serif
		text = bytes.ReplaceAll(text, []byte("font-family:Liberation Serif"), []byte("font-family:'Liberation Serif','Times New Roman',Times,serif"))
		text = label.ReplaceAllFunc(text, withLength)
	case PDF: // as long as it was: a PDF knows the places of its parts
		text = date.ReplaceAll(text, []byte("${1}20000101000000"))
	}
	_, err := w.Write(text)
	return err
}

// date is the time of writing in a PDF.
var date = regexp.MustCompile(`(/(?:CreationDate|ModDate) \(D:)\d{14}`)

// label is a text in an SVG file: its attributes, the size of its letters, and itself.
var label = regexp.MustCompile(`(<text [^>]*font-size:([0-9.]+)px")>([^<]*)</text>`)

// withLength writes how long a label is, so that it keeps to its place in other letters too.
func withLength(element []byte) []byte {
	part := label.FindSubmatch(element)
	size, err := strconv.ParseFloat(string(part[2]), 64)
	if err != nil {
		return element
	}
	style := textStyle(draw.XLeft, draw.YCenter)
	style.Font = font.From(style.Font, vg.Length(size))
	return fmt.Appendf(nil, "%s textLength=\"%.2f\" lengthAdjust=\"spacingAndGlyphs\">%s</text>", part[1], style.Width(html.UnescapeString(string(part[3]))).Points(), part[3])
}
