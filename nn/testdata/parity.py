"""Reference for TestParity: the reference networks trained by PyTorch.

    python3 parity.py > parity.json        (any PyTorch from 1.13 on; minutes)

Initial weights and images come from splitmix64 and so are the same bits here
and in parity_test.go; only losses are stored. PyTorch computes in float64, so
that what is compared is our rounding alone; "float32" gives how far PyTorch's
own float32 strays from its float64, as the largest relative deviation of a loss.
"""
import json
import sys

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

CLASSES, BATCH, SIZE = 10, 8, 3 * 32 * 32


def uniform(seed, n):
    """n values in [0, 1) with 24 bits: splitmix64 from the given state."""
    with np.errstate(over="ignore"):
        z = np.uint64(seed << 32) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2**24


def images(seed):
    """Batch number seed: each image is half the pattern of its class, plus noise."""
    labels = (np.arange(BATCH) * 3 + seed) % CLASSES
    patterns = 2 * uniform(1, CLASSES * SIZE).reshape(CLASSES, SIZE) - 1
    noise = 2 * uniform(100 + seed, BATCH * SIZE).reshape(BATCH, SIZE) - 1
    x = (0.5 * patterns[labels] + noise).astype(np.float32)
    return x.reshape(BATCH, 3, 32, 32), labels


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(3072, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


def lenet():
    return nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


def cnn():
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(4096, 512), nn.ReLU(), nn.Linear(512, 10))


class Block(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout)
        self.c2, self.b2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout)
        same = stride == 1 and cin == cout
        self.short = nn.Identity() if same else nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        return F.relu(self.b2(self.c2(F.relu(self.b1(self.c1(x))))) + self.short(x))


def resnet20():
    layers, cin = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()], 16
    for width, stride in ((16, 1), (32, 2), (64, 2)):
        for i in range(3):
            layers.append(Block(cin, width, stride if i == 0 else 1))
            cin = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


NETWORKS = {"mlp": mlp, "lenet": lenet, "cnn": cnn, "resnet20": resnet20}


def initialise(model):
    """Convolutions and linear layers uniform in +-1/sqrt(fan in); one stream for all, in the order of parameters()."""
    seed = 10
    for module in model.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            bound = 1 / np.sqrt(module.weight[0].numel())
            for p in module.parameters():
                w = ((2 * uniform(seed, p.numel()) - 1) * bound).astype(np.float32)
                p.data = torch.from_numpy(w.reshape(tuple(p.shape)))
                seed += 1


def cross_entropy(f, y):
    return F.cross_entropy(f, y)


def mean_squared(f, y):
    return F.mse_loss(f, F.one_hot(y, CLASSES).to(f.dtype))


def quadratic_hinge(f, y):
    t = 2 * F.one_hot(y, CLASSES).to(f.dtype) - 1
    return (0.5 * F.relu(1 - t * f) ** 2).sum(1).mean()


LOSSES = {"cross-entropy": cross_entropy, "mean-squared": mean_squared, "quadratic-hinge": quadratic_hinge}


def optimizer(o, model):
    name, kw = o["name"], {"lr": o["lr"], "weight_decay": o.get("weight-decay", 0)}
    if name == "sgd":
        return torch.optim.SGD(model.parameters(), momentum=o.get("momentum", 0), nesterov=o.get("nesterov", False), **kw)
    if name == "adam":
        return torch.optim.Adam(model.parameters(), **kw)
    if "weight-decay" not in o:
        kw = {"lr": o["lr"]}  # AdamW's own default
    return torch.optim.AdamW(model.parameters(), **kw)


def train(run, dtype):
    """Losses of the run, loss in inference mode after it, and the model."""
    model = NETWORKS[run["network"]]()
    initialise(model)
    model = model.to(dtype)
    opt, loss = optimizer(run["optimizer"], model), LOSSES[run["loss"]]
    losses = []
    for i in range(run["iterations"]):
        x, y = (torch.from_numpy(a) for a in images(i))
        opt.zero_grad()
        value = loss(model(x.to(dtype)), y)
        value.backward()
        opt.step()
        losses.append(value.item())
    model.eval()
    x, y = (torch.from_numpy(a) for a in images(999))
    with torch.no_grad():
        final = loss(model(x.to(dtype)), y).item()
    return losses, final, model


def main():
    torch.set_num_threads(1)
    # Learning rates at which float32 can follow float64 for so long: rounding grows
    # exponentially in training, the faster the larger the rate. The deep networks
    # go slowly for long, and resnet20 also fast for short.
    def sgd(lr, momentum=0.9, **more):
        return {"name": "sgd", "lr": lr, "momentum": momentum, **more}

    runs = [{"network": n, "loss": l, "optimizer": o, "iterations": i} for n, l, o, i in (
        ("mlp", "cross-entropy", sgd(0.01), 100),
        ("lenet", "cross-entropy", sgd(0.05), 100),
        ("cnn", "cross-entropy", sgd(0.01), 100),
        ("resnet20", "cross-entropy", sgd(5e-5), 100),
        ("resnet20", "cross-entropy", sgd(0.01), 4),
        ("lenet", "cross-entropy", sgd(0.04, nesterov=True, **{"weight-decay": 0.005}), 80),
        ("lenet", "mean-squared", sgd(0.5), 60),
        ("lenet", "quadratic-hinge", sgd(0.01, 0.5), 50),
        ("lenet", "cross-entropy", {"name": "adam", "lr": 0.003, "weight-decay": 0.001}, 50),
        ("lenet", "cross-entropy", {"name": "adamw", "lr": 0.003}, 50),
    )]
    tensors = {}
    for run in runs:
        losses, final, model = train(run, torch.float64)
        narrow, narrow_final, _ = train(run, torch.float32)
        run["losses"] = [float(f"{v:.9g}") for v in losses]
        run["evaluation"] = float(f"{final:.9g}")
        pairs = list(zip(losses + [final], narrow + [narrow_final]))
        run["float32"] = float(f"{max(abs(a - b) / abs(a) for a, b in pairs):.3g}")
        tensors[run["network"]] = {k: list(v.shape) for k, v in model.state_dict().items()}
        print(run["network"], run["loss"], run["optimizer"]["name"], losses[0], losses[-1], final, run["float32"], file=sys.stderr)
    out = {"torch": torch.__version__, "tensors": tensors, "runs": runs}
    json.dump(out, sys.stdout, separators=(",", ":"))
    print()


if __name__ == "__main__":
    main()
