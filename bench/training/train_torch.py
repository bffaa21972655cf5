"""Training throughput of the four reference networks in PyTorch.

    python3 -m venv /tmp/torch && /tmp/torch/bin/pip install torch numpy      # the newest: the peer to beat
    /tmp/torch/bin/python train_torch.py [--threads 2] [--json] [NETWORK/BATCH...]

or, where PyPI is out of reach, Debian's python3-torch (1.13) with /usr/bin/python3.

One training iteration is: zero_grad, forward, cross-entropy, backward, SGD step
with momentum 0.9, on random data already in memory. Prints images per second:
the best memory format of the two that PyTorch offers, the median of several
blocks. Run it and ours in turn, in one sitting, and compare the ratios.
"""
import argparse
import json
import statistics
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


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


def throughput(build, batch, channels_last, seconds=2.0, blocks=5, least=2):
    torch.manual_seed(0)
    model, x, y = build(), torch.randn(batch, 3, 32, 32), torch.randint(0, 10, (batch,))
    if channels_last:
        model, x = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    opt = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)

    def step():
        opt.zero_grad()
        F.cross_entropy(model(x), y).backward()
        opt.step()

    for _ in range(3 if seconds else 0):
        step()
    rates = []
    for _ in range(blocks):
        n, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds / blocks or n < least:
            step()
            n += 1
        rates.append(n * batch / (time.perf_counter() - start))
    return statistics.median(rates)


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--json", action="store_true")
    p.add_argument("--steps", type=int, default=0, help="only so many iterations of each, without timing")
    p.add_argument("keys", nargs="*")
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    networks = {f.__name__: f for f in (mlp, lenet, cnn, resnet20)}
    out = {"torch": torch.__version__}
    for key in a.keys or [f"{n}/B{b}" for n in networks for b in (32, 128)]:
        name, batch = key.split("/B")
        if a.steps:
            throughput(networks[name], int(batch), False, seconds=0, blocks=1, least=a.steps)
            continue
        out[key] = round(max(throughput(networks[name], int(batch), c) for c in (False, True)))
    if a.json:
        print(json.dumps(out))
    elif not a.steps:
        for k, v in out.items():
            print(f"{k:14s} {v}")
