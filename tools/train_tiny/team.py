"""Several processes, one a GPU, that train one model (environment: RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT, each
with a CUDA_VISIBLE_DEVICES of its own); and a training step as one CUDA graph. Alone, or on a CPU, nothing of
this is there."""
import os

import torch
import torch.distributed as dist


def rank():
    """Of this process, known before anything touches the GPU."""
    return int(os.environ.get("RANK", "0"))


class Team:
    """rank 0 leads: its clock and its files count."""

    def __init__(self, device):
        self.rank, self.size = rank(), int(os.environ.get("WORLD_SIZE", "1"))
        self.device, self.leads = device, self.rank == 0
        if self.size > 1:
            dist.init_process_group("nccl" if device == "cuda" else "gloo")

    def mean_(self, z):
        """Average over all members, in place."""
        if self.size > 1:
            dist.all_reduce(z)
            z /= self.size

    def agree(self, number):
        """-> the leader's number, on every member."""
        if self.size == 1:
            return number
        z = torch.tensor([number], dtype=torch.float64, device=self.device)
        dist.broadcast(z, 0)
        return z.item()

    def same_(self, module):
        """The leader's weights, on every member."""
        if self.size > 1:
            for p in module.state_dict().values():
                dist.broadcast(p, 0)


class Gradients:
    """The gradients of all parameters as views of one buffer: one sum, one norm, addresses that stay."""

    def __init__(self, parameters):
        parameters = list(parameters)
        self.flat = torch.zeros(sum(p.numel() for p in parameters), device=parameters[0].device)
        at = 0
        for p in parameters:
            p.grad = self.flat.as_strided(p.shape, p.stride(), at)
            at += p.numel()

    def clip_(self, most):
        self.flat *= (most / (self.flat.norm() + 1e-6)).clamp(max=1.0)


class Graphed:
    """loss_of(*inputs) -> (loss, other numbers): forward and backward, the gradients added up from zero. On a GPU it is
    recorded once and replayed, since starting some thousand kernels takes longer than running them."""

    def __init__(self, loss_of, inputs, gradients, pool=None):
        """inputs: tensors like those to come; pool: of an earlier Graphed, to share its memory."""
        self.loss_of, self.gradients, self.graph = loss_of, gradients, None
        if not inputs[0].is_cuda:
            return
        self.inputs = [z.clone() for z in inputs]
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(3):
                self._once(self.inputs)
        torch.cuda.current_stream().wait_stream(side)
        torch.cuda.synchronize()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool):
            self.outputs = self._once(self.inputs)
        self.graph = graph

    def pool(self):
        return self.graph.pool() if self.graph else None

    def _once(self, inputs):
        self.gradients.flat.zero_()
        loss, others = self.loss_of(*inputs)
        loss.backward()
        return others.detach()

    def __call__(self, *inputs):
        """-> the other numbers, valid until the next call."""
        if self.graph is None:
            return self._once(inputs)
        torch._foreach_copy_(self.inputs, list(inputs))
        self.graph.replay()
        return self.outputs
