"""SDXL's schedule, noise for training, and Euler sampling with guidance, as diffusers' EulerDiscreteScheduler
(leading spacing, steps_offset 1) does it."""
import torch

N_TRAIN = 1000


def alphas_cumprod(device="cpu"):
    betas = torch.linspace(0.00085 ** 0.5, 0.012 ** 0.5, N_TRAIN, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, 0).to(device, torch.float32)


def euler_schedule(steps):
    """-> timesteps [steps], sigmas [steps + 1]."""
    ac = alphas_cumprod().double()
    t = (torch.arange(steps, dtype=torch.float64) * (N_TRAIN // steps)).round().flip(0) + 1
    sigma = ((1 - ac) / ac).sqrt()[t.long()]
    return t, torch.cat([sigma, sigma.new_zeros(1)])


@torch.no_grad()
def sample(unet, encode, ids, negative_ids, size, steps=20, guidance=6.0, seed=0, device="cpu", start=None, strength=1.0, dtype=None):
    """ids: [n, 77]; negative_ids: [n, 77] or None (zero embeddings); size: (h, w) in pixels; start: latents to begin
    from (img2img). -> scaled latents [n, 4, h/8, w/8]. encode(ids) -> context, pooled."""
    n, (h, w) = ids.shape[0], size
    gen = torch.Generator("cpu").manual_seed(seed)
    timesteps, sigmas = euler_schedule(steps)
    context, pooled = encode(ids)
    if guidance > 1:
        nc, np_ = encode(negative_ids) if negative_ids is not None else (torch.zeros_like(context), torch.zeros_like(pooled))
        context, pooled = torch.cat([nc, context]), torch.cat([np_, pooled])
    time_ids = torch.tensor([[h, w, 0, 0, h, w]], dtype=torch.float32, device=device).expand(context.shape[0], 6)
    noise = torch.randn(n, 4, h // 8, w // 8, generator=gen).to(device)
    first = 0
    if start is None:
        x = noise * float((sigmas[0] ** 2 + 1).sqrt())
    else:
        first = steps - min(int(steps * strength), steps)
        x = start + noise * float(sigmas[first])
    for i in range(first, steps):
        s, s1 = float(sigmas[i]), float(sigmas[i + 1])
        z = x / (s * s + 1) ** 0.5
        z = torch.cat([z, z]) if guidance > 1 else z
        t = torch.full((z.shape[0],), float(timesteps[i]), device=device)
        with torch.autocast(device, dtype or torch.bfloat16, enabled=dtype is not None):
            eps = unet(z, t, context, pooled, time_ids).float()
        if guidance > 1:
            e0, e1 = eps.chunk(2)
            eps = e0 + guidance * (e1 - e0)
        x = x + eps * (s1 - s)
    return x
