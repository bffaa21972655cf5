package draw

import (
	"bufio"
	"fmt"
	"image/color"
	"io"
	"strings"
	"unicode/utf8"

	"swapmc/swap"
)

// Text draws the picture for a terminal of 80 columns. With color it uses
// 24-bit ANSI colours; without, exchanged cells are █ and ▒, of whole planes of an
// image the letter of the channel that they come from and ░, the others ·.
func (p *Picture) Text(w io.Writer, color bool) error {
	panels := [2][]textLine{p.textPanel(false), p.textPanel(true)}
	width := len("before")
	for _, line := range panels[0] {
		width = max(width, len(line))
	}
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, p.protocol)
	for _, line := range wrap(p.caption(), func(line string) bool { return utf8.RuneCountInString(line) <= 78 }) {
		fmt.Fprintln(out, line)
	}
	fmt.Fprintln(out)
	fmt.Fprintf(out, "%-*s   after\n", width+2, "before")
	for i, line := range panels[0] {
		arrow := "   "
		if i == len(panels[0])/2 {
			arrow = " → "
		}
		var row strings.Builder
		line.print(&row, width, color)
		row.WriteString(" " + arrow + " ")
		panels[1][i].print(&row, 0, color)
		fmt.Fprintln(out, strings.TrimRight(row.String(), " "))
	}
	return out.Flush()
}

// A glyph is one character of a panel, coloured if it belongs to a cell.
type glyph struct {
	char    rune
	color   color.RGBA
	colored bool
}

type textLine []glyph

// print writes a line, filled up with blanks to a width.
func (l textLine) print(w *strings.Builder, width int, color bool) {
	last := ""
	for _, g := range l {
		now := ""
		if color && g.colored {
			now = fmt.Sprintf("\x1b[38;2;%d;%d;%dm", g.color.R, g.color.G, g.color.B)
		}
		if now != last {
			if last != "" {
				w.WriteString("\x1b[0m")
			}
			w.WriteString(now)
			last = now
		}
		char := g.char
		if color && g.colored {
			char = solid(char)
		}
		w.WriteRune(char)
	}
	if last != "" {
		w.WriteString("\x1b[0m")
	}
	if n := width - len(l); n > 0 {
		w.WriteString(strings.Repeat(" ", n))
	}
}

// solid returns the character that fills a coloured cell: shades and letters are for
// terminals without colours.
func solid(char rune) rune {
	switch char {
	case '▒', '░', 'R', 'G', 'B':
		return '█'
	}
	return char
}

// channelNames has a letter for each of the channels.
const channelNames = "RGB"

// textPanel draws one panel in characters, two for each cell.
func (p *Picture) textPanel(after bool) []textLine {
	var rows []textLine
	put := func(row, col int, g glyph) {
		for len(rows) <= row {
			rows = append(rows, nil)
		}
		for len(rows[row]) <= col {
			rows[row] = append(rows[row], glyph{char: ' '})
		}
		rows[row][col] = g
	}
	write := func(row, col int, text string) {
		for i, char := range []rune(text) {
			put(row, col+i, glyph{char: char})
		}
	}
	cell := func(row, col, k int) {
		k = p.content(k, after)
		g := glyph{p.shade(k), p.textColour(k), true}
		put(row, col, g)
		put(row, col+1, g)
	}
	switch p.protocol.Target {
	case swap.Features:
		for i, b := range p.blocks {
			x := 2 + i*(2*pixels+2)
			for c := range channels {
				y := c * (pixels + 1)
				write(y+pixels/2, 0, channelNames[c:c+1])
				for k := range b.cols {
					cell(y+k/pixels, x+2*(k%pixels), b.cell(c, k))
				}
			}
			write(channels*(pixels+1)-1, x, b.name)
		}
	case swap.Weights:
		x := 0
		tallest := 0
		for _, b := range p.blocks {
			tallest = max(tallest, b.rows)
		}
		for _, b := range p.blocks {
			for k := range b.rows * b.cols {
				cell(k/b.cols, x+2*(k%b.cols), b.first+k)
			}
			write(tallest, x, fmt.Sprintf("%d×%d", b.rows, b.cols))
			x += 2*b.cols + 2
		}
	case swap.Biases:
		tallest := 0
		for _, b := range p.blocks {
			tallest = max(tallest, b.cols)
		}
		for i, b := range p.blocks {
			for k := range b.cols {
				cell(k, 8*i+2, b.first+k)
			}
			write(tallest, 8*i, b.name)
		}
	case swap.Params:
		for i, b := range p.blocks {
			write(i, 0, fmt.Sprintf("%d", i+1))
			for k := range b.cols {
				x := 2 + 2*k
				if k >= b.cols-biasesOf[i] {
					x++
				}
				cell(i, x, b.first+k)
			}
		}
	default:
		const tallest = 4
		for k := range p.blocks[0].cols {
			from := p.content(k, after)
			bar(scale[from], tallest, func(row int, char rune) {
				g := glyph{char, p.textColour(from), true}
				put(row, 2*k, g)
			})
			mark := ' '
			switch p.party[from] {
			case first:
				mark = 'a' + rune(p.orbit[from]%26)
			case second:
				mark = 'A' + rune(p.orbit[from]%26)
			}
			put(tallest, 2*k, glyph{char: mark})
		}
	}
	return rows
}

// bar calls put for each character of a bar, with row 0 at the top.
func bar(length float64, rows int, put func(row int, char rune)) {
	eighths := int(length*float64(8*rows) + 0.5)
	for row := rows - 1; row >= 0 && eighths > 0; row-- {
		put(row, []rune("▁▂▃▄▅▆▇█")[min(eighths, 8)-1])
		eighths -= 8
	}
}

// shade is how a terminal without colours shows what lay in cell k.
func (p *Picture) shade(k int) rune {
	if p.party[k] == stay {
		return '·'
	}
	if p.protocol.Target == swap.Features && p.protocol.Code[2] == 'A' {
		if lit(k) { // two channels of an image have the same icon: only a letter tells them apart
			return rune(channelNames[k/(pixels*pixels)%channels])
		}
		return '░'
	}
	if p.party[k] == first {
		return '█'
	}
	return '▒'
}

// textColour is the colour of what lay in cell k. Pale colours would glare on a
// dark terminal: what stayed is grey.
func (p *Picture) textColour(k int) color.RGBA {
	if p.party[k] == stay {
		return dim
	}
	return p.colour(k)
}
