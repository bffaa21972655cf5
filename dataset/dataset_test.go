package dataset

import (
	"math"
	"slices"
	"testing"
)

func TestNormalisation(t *testing.T) {
	s := Synth(SynthOptions{Train: 300, Test: 10, Seed: 2})
	index := make([]int, s.Train.Len())
	for i := range index {
		index[i] = i
	}
	x := make([]float32, len(index)*s.Shape.Len())
	s.Batch(x, &s.Train, index)
	plane := s.Shape.H * s.Shape.W
	for c := range s.Shape.C {
		var n, sum, square float64
		for i := range index {
			for _, v := range x[i*s.Shape.Len()+c*plane:][:plane] {
				n++
				sum += float64(v)
				square += float64(v) * float64(v)
			}
		}
		if mean, variance := sum/n, square/n; math.Abs(mean) > 1e-5 || math.Abs(variance-1) > 1e-4 {
			t.Errorf("channel %d: mean %g, variance %g after normalisation", c, mean, variance)
		}
	}
}

func TestBatchGathersByIndex(t *testing.T) {
	images := []uint8{0, 255, 10, 20, 30, 40} // three images of 1 x 1 x 2
	s := NewSet("tiny", Shape{1, 1, 2}, []string{"a"}, Split{images, []uint8{0, 0, 0}}, Split{})
	dst := make([]float32, 4)
	s.Batch(dst, &s.Train, []int{2, 0})
	for k, v := range []uint8{30, 40, 0, 255} {
		want := (float64(v)/255 - s.Mean[0]) / s.Std[0]
		if math.Abs(float64(dst[k])-want) > 1e-6 {
			t.Errorf("value %d is %g, want %g", k, dst[k], want)
		}
	}
	if n := testing.AllocsPerRun(10, func() { s.Batch(dst, &s.Train, []int{2, 0}) }); n != 0 {
		t.Errorf("%v allocations a batch", n)
	}
	flat := NewSet("flat", Shape{1, 1, 2}, []string{"a"}, Split{[]uint8{7, 7}, []uint8{0}}, Split{})
	flat.Batch(dst[:2], &flat.Train, []int{0})
	if dst[0] != 0 || dst[1] != 0 {
		t.Errorf("a constant channel becomes %v", dst[:2])
	}
}

func TestFirst(t *testing.T) {
	s := Synth(SynthOptions{Train: 40, Test: 20})
	cut := s.First(10, 0)
	if cut.Train.Len() != 10 || cut.Test.Len() != 20 || !slices.Equal(cut.Train.Images, s.Train.Images[:10*3072]) {
		t.Errorf("%d and %d images", cut.Train.Len(), cut.Test.Len())
	}
	if again := s.First(1000, 0); again.Train.Len() != 40 {
		t.Errorf("asked for more than there is: %d", again.Train.Len())
	}
}

func TestSynth(t *testing.T) {
	a, b := Synth(SynthOptions{Train: 100, Test: 50, Seed: 1}), Synth(SynthOptions{Train: 200, Test: 50, Seed: 1})
	if !slices.Equal(a.Train.Images, b.Train.Images[:len(a.Train.Images)]) || !slices.Equal(a.Train.Labels, b.Train.Labels[:100]) {
		t.Error("a smaller set is not the beginning of a larger one")
	}
	if !slices.Equal(a.Test.Images, b.Test.Images) {
		t.Error("the test set depends on the size of the training set")
	}
	other := Synth(SynthOptions{Train: 100, Test: 50, Seed: 2})
	if slices.Equal(a.Train.Images, other.Train.Images) {
		t.Error("the seed changes nothing")
	}
	if slices.Equal(a.Train.Images[:50*3072], a.Test.Images) {
		t.Error("test images are training images")
	}
	big := Synth(SynthOptions{Test: 10})
	counts := make([]int, 10)
	for _, l := range big.Train.Labels {
		counts[l]++
	}
	for c, n := range counts {
		// 5000 draws of probability 1/10.
		if math.Abs(float64(n)-500) > 5*math.Sqrt(5000*0.1*0.9) {
			t.Errorf("class %d has %d of 5000 images", c, n)
		}
	}
}

// No single cue is enough: a classifier that sees only mean colours must do
// better than chance but far from perfect.
func TestSynthIsNotSolvedByColour(t *testing.T) {
	s := Synth(SynthOptions{Train: 3000, Test: 1000})
	feature := func(split *Split, i int) (f [3]float64) {
		for c := range f {
			for _, v := range split.Images[i*3072+c*1024:][:1024] {
				f[c] += float64(v) / 1024
			}
		}
		return f
	}
	var mean [10][3]float64
	var n [10]float64
	for i, l := range s.Train.Labels {
		f := feature(&s.Train, i)
		n[l]++
		for c := range f {
			mean[l][c] += f[c]
		}
	}
	correct := 0
	for i, l := range s.Test.Labels {
		f := feature(&s.Test, i)
		best, distance := 0, math.Inf(1)
		for k := range mean {
			d := 0.0
			for c := range f {
				d += math.Pow(f[c]-mean[k][c]/n[k], 2)
			}
			if d < distance {
				best, distance = k, d
			}
		}
		if best == int(l) {
			correct++
		}
	}
	if share := float64(correct) / 1000; share < 0.11 || share > 0.45 {
		t.Errorf("mean colour alone is right for %.0f%% of the images", 100*share)
	}
}
