// Package nn trains neural networks on image batches: layers with hand-written
// backward passes, losses, optimisers and learning-rate schedules, in float32.
//
// A network is a list of layers as text, in PyTorch's terms:
//
//	spec, err := nn.Parse("conv 6 5x5, relu, maxpool 2, linear 84, relu, linear 10") // or "lenet"
//	net, err := nn.New(spec, nn.Options{Input: nn.Shape{3, 32, 32}, Classes: 10, Batch: 32})
//	err = net.Init("pytorch", rand.New(rand.NewPCG(1, 2)))
//	opt, err := nn.Optimizer{Name: "sgd", LR: 0.1, Momentum: 0.9}.New(len(net.Params()))
//	loss := net.Step(images, labels) // forward and backward: fills net.Grads()
//	opt.Update(net.Params(), net.Grads(), 0.1, nil)
//
// Images are NCHW: image after image, plane after plane, row after row. All
// parameters of a network lie in one slice, and so do their gradients and the
// optimiser's state, which makes optimisers plain loops and lets others (swap
// protocols, checkpoints) address any part of them.
//
// Results do not depend on the number of threads: work is divided by position
// and every sum has a fixed order. After the first step nothing is allocated.
package nn
