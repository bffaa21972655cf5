package draw

import (
	"image/color"

	"swapmc/swap"
)

// A hue is the family of colours of one block (of one channel for features):
// deep and bright for the two cells of a swap, pale and faint for what stays.
type hue struct{ deep, bright, pale, faint color.RGBA }

var (
	red    = hue{rgb(0xBE1E2D), rgb(0xF58A86), rgb(0xEBD5D4), rgb(0xF8F0EF)}
	green  = hue{rgb(0x1A7F3C), rgb(0x7CCB85), rgb(0xD3E3D5), rgb(0xEFF5F0)}
	blue   = hue{rgb(0x1F5FA8), rgb(0x7DB8EE), rgb(0xD3DEEA), rgb(0xEFF3F8)}
	orange = hue{rgb(0xC2560A), rgb(0xFFB765), rgb(0xEBDDD0), rgb(0xF8F3EE)}
	purple = hue{rgb(0x69389A), rgb(0xBFA0E3), rgb(0xDFD7E8), rgb(0xF4F1F7)}
	teal   = hue{rgb(0x0B7A75), rgb(0x66C9C0), rgb(0xD0E2E1), rgb(0xEEF5F5)}
)

var (
	ink   = rgb(0x1C1C22)
	quiet = rgb(0x6A6A72)
	wire  = rgb(0xDADAE0)
	white = rgb(0xFFFFFF)
	grey  = rgb(0xE6E6EA)
	dim   = rgb(0x8A8A92)
)

var (
	channelHues = []hue{red, green, blue}
	layerHues   = []hue{blue, orange, green, purple}
	cycleHues   = []hue{red, blue, green, orange, purple, teal, red}
)

func rgb(x uint32) color.RGBA {
	return color.RGBA{R: uint8(x >> 16), G: uint8(x >> 8), B: uint8(x), A: 255}
}

// block returns the number of the block of cell k.
func (p *Picture) block(k int) int {
	for i, b := range p.blocks {
		if k < b.first+b.rows*b.cols {
			return i
		}
	}
	return len(p.blocks) - 1
}

// colour returns the colour of what lay in cell k before the event.
func (p *Picture) colour(k int) color.RGBA {
	switch p.protocol.Target {
	case swap.Features:
		h := channelHues[k/(pixels*pixels)%channels]
		on := lit(k)
		switch {
		case p.party[k] == stay && on:
			return h.pale
		case p.party[k] == stay:
			return h.faint
		case p.protocol.Code[2] == 'A':
			// Whole planes move: the icon shows which.
			if on {
				return h.deep
			}
			return h.bright
		}
		return h.of(p.party[k])
	case swap.Diameters, swap.Lengths:
		switch h := cycleHues[p.orbit[k]%len(cycleHues)]; {
		case p.party[k] == stay:
			return grey
		case p.orbits == 1 && p.party[k] == second:
			return blue.deep
		default:
			return h.of(p.party[k])
		}
	}
	return layerHues[p.block(k)].of(p.party[k])
}

func (h hue) of(party int) color.RGBA {
	switch party {
	case first:
		return h.deep
	case second:
		return h.bright
	}
	return h.pale
}
