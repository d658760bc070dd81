"""The judge: a network of its own that names subject, colour, count, setting, style, time and weather of a
picture. It never sees a generated picture while it is trained."""
import torch
import torch.nn as nn
import torch.nn.functional as F

from stream import LABELS, N_LABELS


class Res(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.a, self.na = nn.Conv2d(cin, cout, 3, stride, 1, bias=False), nn.BatchNorm2d(cout)
        self.b, self.nb = nn.Conv2d(cout, cout, 3, 1, 1, bias=False), nn.BatchNorm2d(cout)
        self.skip = nn.Conv2d(cin, cout, 1, stride, bias=False) if stride > 1 or cin != cout else nn.Identity()

    def forward(self, x):
        return F.relu(self.skip(x) + self.nb(self.b(F.relu(self.na(self.a(x))))))


class Classifier(nn.Module):
    """[n, 3, h, w] in 0..1 -> list of logits, one for each of LABELS."""

    def __init__(self, width=40):
        super().__init__()
        w = width
        self.stem = nn.Sequential(nn.Conv2d(3, w, 5, 2, 2, bias=False), nn.BatchNorm2d(w), nn.ReLU())
        self.body = nn.Sequential(Res(w, w, 2), Res(w, 2 * w, 1), Res(2 * w, 3 * w, 2), Res(3 * w, 3 * w, 1), Res(3 * w, 5 * w, 2),
                                  Res(5 * w, 5 * w, 1), Res(5 * w, 7 * w, 2), Res(7 * w, 7 * w, 1))
        self.heads = nn.ModuleList([nn.Linear(14 * w, n) for n in N_LABELS])

    def forward(self, x):
        y = self.body(self.stem(x * 4 - 2))
        y = torch.cat([y.mean((2, 3)), y.amax((2, 3))], 1)
        return [head(y) for head in self.heads]


class Judge:
    """Trains the classifier beside something else, on the pictures that pass by."""

    def __init__(self, device, lr=1.5e-3):
        self.net = Classifier().to(device, memory_format=torch.channels_last)
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr, weight_decay=0.02)
        self.device, self.lr, self.seen = device, lr, 0
        self.right = torch.zeros(len(LABELS), device=device)
        self.total = 0

    def step(self, pictures, labels, lr):
        """pictures: [n, 3, h, w]; labels: [n, 7] long, -100 where nothing is to be learned. Noise and blur keep it from leaning on fine traces."""
        for group in self.optimiser.param_groups:
            group["lr"] = lr
        self.net.train()
        x = pictures + torch.randn_like(pictures) * 0.02 * torch.rand(pictures.shape[0], 1, 1, 1, device=self.device)
        if self.seen % 3 == 0:
            x = F.avg_pool2d(x, 3, 1, 1)
        with torch.autocast(self.device, torch.bfloat16):
            logits = self.net(x.contiguous(memory_format=torch.channels_last))
        loss = sum(F.cross_entropy(z.float(), labels[:, i]) for i, z in enumerate(logits))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        self.seen += 1
        right = [((z.argmax(1) == labels[:, i]).sum() / (labels[:, i] >= 0).sum()) for i, z in enumerate(logits)]
        self.right = self.right * 0.98 + 0.02 * torch.stack(right)

    @torch.no_grad()
    def look(self, pictures):
        """-> [n, 7] predicted labels."""
        self.net.eval()
        return torch.cat([torch.stack([z.argmax(1) for z in self.net(p)], 1) for p in pictures.split(128)])
