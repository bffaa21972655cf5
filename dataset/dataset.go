// Package dataset reads and makes sets of small labelled images: CIFAR-10 from
// its binary files, and synth, a set made in code that needs no file.
//
// Images are kept as bytes, plane after plane, and become float32 as batches are
// gathered: normalised per channel to mean 0 and variance 1 over the training
// set.
package dataset

import "math"

// Shape is the size of every image of a set: channels, height, width.
type Shape struct{ C, H, W int }

// Len returns the number of bytes of an image.
func (s Shape) Len() int { return s.C * s.H * s.W }

// Split is a training or a test set.
type Split struct {
	Images []uint8 // image after image, each C x H x W
	Labels []uint8 // below the number of classes
}

// Len returns the number of images.
func (s *Split) Len() int { return len(s.Labels) }

// Set is a data set. NewSet makes one that Batch can use.
type Set struct {
	Name        string
	Shape       Shape
	Classes     []string
	Train, Test Split
	Mean, Std   []float64 // of each channel over the training set, of pixel/255

	table [][256]float32 // for each channel, the normalised value of a byte
}

// NewSet returns a set with the statistics of its training images.
func NewSet(name string, shape Shape, classes []string, train, test Split) *Set {
	s := &Set{Name: name, Shape: shape, Classes: classes, Train: train, Test: test}
	plane := shape.H * shape.W
	for c := range shape.C {
		var count [256]int
		for i := range train.Len() {
			for _, v := range train.Images[i*shape.Len()+c*plane:][:plane] {
				count[v]++
			}
		}
		var n, sum, square float64
		for v, k := range count {
			x := float64(v) / 255
			n += float64(k)
			sum += float64(k) * x
			square += float64(k) * x * x
		}
		mean, std := 0.0, 1.0
		if n > 0 {
			mean = sum / n
			std = math.Sqrt(max(0, square/n-mean*mean))
		}
		if std == 0 { // a constant channel stays at zero
			std = 1
		}
		s.Mean, s.Std = append(s.Mean, mean), append(s.Std, std)
		var table [256]float32
		for v := range table {
			table[v] = float32((float64(v)/255 - mean) / std)
		}
		s.table = append(s.table, table)
	}
	return s
}

// Batch writes the normalised images of that index, one after the other, to dst,
// which has room for them. It allocates nothing.
func (s *Set) Batch(dst []float32, split *Split, index []int) {
	size, plane := s.Shape.Len(), s.Shape.H*s.Shape.W
	for b, i := range index {
		image, out := split.Images[i*size:][:size], dst[b*size:][:size]
		for c := range s.table {
			table := &s.table[c]
			out := out[c*plane:][:plane]
			for p, v := range image[c*plane:][:plane] {
				out[p] = table[v]
			}
		}
	}
}

// First returns the set cut to its first images, with the statistics of those;
// 0 keeps all.
func (s *Set) First(train, test int) *Set {
	cut := func(split Split, n int) Split {
		if n <= 0 || n > split.Len() {
			n = split.Len()
		}
		return Split{Images: split.Images[:n*s.Shape.Len()], Labels: split.Labels[:n]}
	}
	return NewSet(s.Name, s.Shape, s.Classes, cut(s.Train, train), cut(s.Test, test))
}
