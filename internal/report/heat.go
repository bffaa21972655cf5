package report

import (
	"image/color"
	"io"
	"math"
	"strconv"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A HeatMap shows speed-ups over two things that were swept.
type HeatMap struct {
	Title   string
	X, Y    string      // what they are
	XValues []string    // of the columns, from left to right
	YValues []string    // of the rows, from below
	Cells   [][]float64 // speed-up in row y, column x; NaN where there is none
}

const (
	cellHeight = 15 // points
	mostWidth  = 60 // of a cell
	labelRoom  = 0.38 * width
	mostLines  = 6             // of what stands below a column; longer texts are turned
	turnedRoom = 1.4 * vg.Inch // for these
)

// HeatMaps draws maps below each other in one column, on one scale of colours: blue is
// faster, white is no difference, orange slower. It writes path.svg, path.pdf and path.png.
func HeatMaps(path string, maps []HeatMap) error {
	return write(path, func(w io.Writer, format Format) error { return DrawHeatMaps(w, format, maps) })
}

// DrawHeatMaps draws the figure of [HeatMaps] in a format.
func DrawHeatMaps(w io.Writer, format Format, maps []HeatMap) error {
	octaves := 1.0
	height := vg.Length(line)
	for i := range maps {
		height += maps[i].height()
		for _, row := range maps[i].Cells {
			for _, s := range row {
				if v := math.Abs(math.Log2(s)); ok(v) {
					octaves = max(octaves, v)
				}
			}
		}
	}
	octaves = min(octaves, 3)
	return render(w, format, width, height, func(c draw.Canvas) error {
		c.FillPolygon(color.White, []vg.Point{c.Min, {X: c.Max.X, Y: c.Min.Y}, c.Max, {X: c.Min.X, Y: c.Max.Y}})
		y := c.Max.Y
		for i := range maps {
			maps[i].draw(c, y, octaves)
			y -= maps[i].height()
		}
		return nil
	})
}

func (m *HeatMap) title() []string { return wrap(m.Title, width-2*letterX) }

// rows are the lines of each row's label.
func (m *HeatMap) rows() (labels [][]string, left vg.Length) {
	style := textStyle(draw.XLeft, draw.YCenter)
	for _, v := range m.YValues {
		lines := wrap(v, labelRoom)
		for _, l := range lines {
			left = max(left, style.Width(l))
		}
		labels = append(labels, lines)
	}
	return labels, left + 3*letterX
}

func rowHeight(lines []string) vg.Length { return max(cellHeight, vg.Length(len(lines))*line+2) }

// cell is the width of the columns, right of the rows' labels.
func (m *HeatMap) cell(left vg.Length) vg.Length {
	return min(mostWidth, (width-left-letterX)/vg.Length(max(1, len(m.XValues))))
}

// columns are the lines of each column's label, how much room they take below the map, and whether they are turned
// so as to be read from below.
func (m *HeatMap) columns(cell vg.Length) (labels [][]string, room vg.Length, turned bool) {
	style := textStyle(draw.XLeft, draw.YCenter)
	for _, v := range m.XValues {
		lines := wrap(v, cell-4)
		labels = append(labels, lines)
		room = max(room, vg.Length(len(lines))*line)
		turned = turned || len(lines) > mostLines
		for _, word := range strings.Fields(v) {
			turned = turned || style.Width(word) > cell-4
		}
	}
	if !turned {
		return labels, room, false
	}
	labels, room = nil, 0
	for _, v := range m.XValues {
		lines := wrap(v, turnedRoom)
		if vg.Length(len(lines))*line > cell {
			lines = []string{v}
		}
		labels = append(labels, lines)
		for _, l := range lines {
			room = max(room, style.Width(l)+4)
		}
	}
	return labels, room, true
}

func (m *HeatMap) height() vg.Length {
	labels, left := m.rows()
	_, room, _ := m.columns(m.cell(left))
	h := vg.Length(len(m.title()))*line + 2.5*line + room
	for _, l := range labels {
		h += rowHeight(l)
	}
	return h + line
}

// draw draws one map below the height y.
func (m *HeatMap) draw(c draw.Canvas, y vg.Length, octaves float64) {
	left := textStyle(draw.XLeft, draw.YCenter)
	for _, text := range m.title() {
		y -= line
		c.FillText(left, vg.Point{X: c.Min.X + letterX, Y: y}, text)
	}
	y -= line
	c.FillText(left, vg.Point{X: c.Min.X + letterX, Y: y}, m.Y)
	y -= line / 2
	labels, start := m.rows()
	cell := m.cell(start)
	columns, room, turned := m.columns(cell)
	start += c.Min.X
	number := textStyle(draw.XCenter, draw.YCenter)
	number.Font = font.From(number.Font, min(fontSize, cell/3))
	for r := len(m.YValues) - 1; r >= 0; r-- {
		h := rowHeight(labels[r])
		middle := y - h/2
		for i, text := range labels[r] {
			c.FillText(left, vg.Point{X: c.Min.X + letterX, Y: middle + (vg.Length(len(labels[r])-1)/2-vg.Length(i))*line}, text)
		}
		for k, s := range m.Cells[r] {
			x := start + vg.Length(k)*cell
			corners := []vg.Point{{X: x, Y: y}, {X: x + cell - 0.6, Y: y}, {X: x + cell - 0.6, Y: y - h + 0.6}, {X: x, Y: y - h + 0.6}}
			if v := math.Log2(s); ok(v) {
				fill := diverging(v / octaves)
				c.FillPolygon(fill, corners)
				number.Color = color.Black
				if int(fill.R)*3+int(fill.G)*6+int(fill.B) < 1300 {
					number.Color = color.White
				}
				if cell > 12 {
					c.FillText(number, vg.Point{X: x + cell/2, Y: middle}, strconv.FormatFloat(s, 'g', 3, 64))
				}
			} else {
				c.FillPolygon(color.Gray{244}, corners)
			}
		}
		y -= h
	}
	y -= line / 2
	tick := textStyle(draw.XCenter, draw.YCenter)
	for k, lines := range columns {
		x := start + (vg.Length(k)+0.5)*cell
		for i, text := range lines {
			if turned {
				up := textStyle(draw.XRight, draw.YCenter)
				up.Rotation = math.Pi / 2
				c.FillText(up, vg.Point{X: x - 1 + (vg.Length(i)-vg.Length(len(lines)-1)/2)*line, Y: y + line/2 - 2}, text)
				continue
			}
			c.FillText(tick, vg.Point{X: x, Y: y - vg.Length(i)*line}, text)
		}
	}
	y -= room - line
	y -= line
	c.FillText(tick, vg.Point{X: start + cell*vg.Length(len(m.XValues))/2, Y: y}, m.X)
}

// diverging is the colour of a value in [-1, 1]: orange, white, blue, which the
// colour-blind tell apart.
func diverging(v float64) color.NRGBA {
	v = min(1, max(-1, v))
	if v < 0 {
		return shade(color.NRGBA{247, 247, 247, 255}, color.NRGBA{179, 88, 6, 255}, int(math.Round(-v*1000)), 1001)
	}
	return shade(color.NRGBA{247, 247, 247, 255}, color.NRGBA{8, 72, 150, 255}, int(math.Round(v*1000)), 1001)
}
