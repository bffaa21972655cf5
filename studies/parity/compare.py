"""What PyTorch says to what swapmc trained: see run.sh.

    python3 compare.py CIFAR10-FOLDER RESULTS-FOLDER

1. Loads every weights.safetensors by name into the same network in PyTorch, and
   evaluates it on the whole test set, beside the last row of its metrics.csv.
2. Trains lenet in PyTorch with PyTorch's own initialisation and order of images,
   and compares test loss and accuracy over seeds, by Welch's t-test.
"""
import csv
import json
import math
import pathlib
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "nn" / "testdata"))
from parity import NETWORKS  # the reference networks


def cifar10(folder):
    """Images normalised per channel over the training set, and labels: training and test set."""
    def read(*names):
        raw = np.concatenate([np.fromfile(folder / n, np.uint8) for n in names]).reshape(-1, 3073)
        return raw[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) / 255, raw[:, 0].astype(np.int64)

    x, y = read(*(f"data_batch_{i}.bin" for i in range(1, 6)))
    u, v = read("test_batch.bin")
    mean, std = x.mean((0, 2, 3), dtype=np.float64), x.std((0, 2, 3), dtype=np.float64)
    for a in (x, u):
        a -= mean.astype(np.float32).reshape(3, 1, 1)
        a /= std.astype(np.float32).reshape(3, 1, 1)
    return (torch.from_numpy(x), torch.from_numpy(y)), (torch.from_numpy(u), torch.from_numpy(v))


def load(path):
    """A safetensors file as a state_dict; PyTorch's own reader of the format needs a package."""
    data = path.read_bytes()
    n = struct.unpack("<Q", data[:8])[0]
    state = {}
    for name, t in json.loads(data[8:8 + n]).items():
        if name != "__metadata__":
            a, b = t["data_offsets"]
            values = np.frombuffer(data[8 + n + a:8 + n + b], "<f4").reshape(t["shape"])
            state[name] = torch.from_numpy(values.copy())
    return state


@torch.no_grad()
def evaluate(model, test):
    model.eval()
    loss, right = 0.0, 0
    for x, y in zip(test[0].split(500), test[1].split(500)):
        f = model(x)
        loss += F.cross_entropy(f, y, reduction="sum").item()
        right += (f.argmax(1) == y).sum().item()
    model.train()
    return loss / len(test[1]), right / len(test[1])


def metrics(run):
    with open(run / "metrics.csv") as f:
        return [{k: float(v) for k, v in row.items()} for row in csv.DictReader(f)]


def runs(folder):
    return sorted(p.parent for p in folder.glob("runs/*/weights.safetensors"))


def train(data, test, seed, lr, batch, iterations, every):
    torch.manual_seed(seed)
    model = NETWORKS["lenet"]()
    opt = torch.optim.SGD(model.parameters(), lr=lr)
    out, order = {}, torch.randperm(len(data[1]))
    for i in range(iterations):
        if i % every == 0:
            out[i] = evaluate(model, test)
        index = order[i * batch:(i + 1) * batch]
        opt.zero_grad()
        F.cross_entropy(model(data[0][index]), data[1][index]).backward()
        opt.step()
    out[iterations] = evaluate(model, test)
    return out


def p_value(a, b):
    """Welch's t-test, two-sided; the t distribution integrated numerically."""
    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    t = abs(a.mean() - b.mean()) / math.sqrt(va + vb)
    k = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
    x = np.linspace(0, t, 20001)
    y = np.exp(math.lgamma((k + 1) / 2) - math.lgamma(k / 2)) / math.sqrt(k * math.pi) * (1 + x * x / k) ** (-(k + 1) / 2)
    return 1 - 2 * float(((y[1:] + y[:-1]) / 2).sum() * (x[1] - x[0]))


def main():
    data, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    torch.set_num_threads(1)
    training, test = cifar10(data)

    print("| network | seed | test loss: swapmc | PyTorch | accuracy: swapmc | PyTorch |\n|---|---|---|---|---|---|", flush=True)
    for name in ("lenet", "resnet20"):
        for run in runs(out / name):
            seed = json.loads((run / "run.json").read_text()).get("seed", "")
            model = NETWORKS[name]()
            model.load_state_dict(load(run / "weights.safetensors"), strict=True)
            loss, accuracy = evaluate(model, test)
            last = metrics(run)[-1]
            print(f"| {name} | {seed} | {last['test_loss']:.6f} | {loss:.6f} | {last['test_accuracy']:.4f} | {accuracy:.4f} |", flush=True)

    ours = [{r["iteration"]: r for r in metrics(run)} for run in runs(out / "lenet")]
    theirs = [train(training, test, 100 + s, 0.1, 32, 1500, 500) for s in range(len(ours))]
    print("\n| iteration | test loss: swapmc | PyTorch | p | accuracy: swapmc | PyTorch | p |\n|---|---|---|---|---|---|---|")
    for i in theirs[0]:
        cells = []
        for k, column in enumerate(("test_loss", "test_accuracy")):
            a, b = np.array([r[i][column] for r in ours]), np.array([r[i][k] for r in theirs])
            sd = lambda v: v.std(ddof=1) / math.sqrt(len(v))
            cells += [f"{a.mean():.4f} ± {sd(a):.4f}", f"{b.mean():.4f} ± {sd(b):.4f}", f"{p_value(a, b):.2f}"]
        print(f"| {i} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
