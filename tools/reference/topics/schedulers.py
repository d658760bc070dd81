"""What diffusers' schedulers compute: schedules, and trajectories through a stand-in for the UNet.

schedules.json     timesteps, sigmas and init_noise_sigma after set_timesteps
trajectories.json  samples while scheduler.step is driven by model() below, in float32 on 8 numbers,
                   for txt2img and img2img starts as the SDXL pipelines make them. Noise is not
                   random but taken from "noise", one row a draw, and "draws" counts the draws of
                   each step
quantiles.json     scipy's quantiles of the beta distribution, and their p and a

A case names the scheduler as the command does; "config" is its scheduler_config.json.
"""
import importlib
import inspect
import json

import diffusers
import scipy.stats
import torch

SDXL = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear",
        "num_train_timesteps": 1000, "steps_offset": 1, "prediction_type": "epsilon"}
ZERO_SNR = {"rescale_betas_zero_snr": True, "prediction_type": "v_prediction",
            "timestep_spacing": "trailing"}

PLAYGROUND = {"prediction_type": "epsilon", "rho": 7.0, "sigma_data": 0.5, "sigma_max": 80.0,
              "sigma_min": 0.002, "solver_order": 2}
COSXL = {"prediction_type": "v_prediction", "sigma_data": 1.0, "sigma_max": 120.0,
         "sigma_min": 0.002, "sigma_schedule": "exponential"}

CLASSES = {
    "euler": "EulerDiscreteScheduler", "euler-a": "EulerAncestralDiscreteScheduler",
    "heun": "HeunDiscreteScheduler", "dpmpp-2m": "DPMSolverMultistepScheduler",
    "dpmpp-2m-sde": "DPMSolverMultistepScheduler", "unipc": "UniPCMultistepScheduler",
    "deis": "DEISMultistepScheduler", "ddim": "DDIMScheduler", "ddpm": "DDPMScheduler",
    "pndm": "PNDMScheduler", "lcm": "LCMScheduler",
}
# The same names for models that have no betas. A case of theirs has "class": what model_index.json
# of its repository would name.
EDM_CLASSES = {
    "euler": "EDMEulerScheduler", "dpmpp-2m": "EDMDPMSolverMultistepScheduler",
    "dpmpp-2m-sde": "EDMDPMSolverMultistepScheduler",
}
SUFFIXES = {"karras": "use_karras_sigmas", "exponential": "use_exponential_sigmas",
            "beta": "use_beta_sigmas", "lu": "use_lu_lambdas"}
SPACED = ["euler", "heun", "dpmpp-2m", "dpmpp-2m-sde", "unipc", "deis"]
SPACINGS = ["leading", "trailing", "linspace"]
WITH_ZERO_SNR = ["euler", "euler-a", "dpmpp-2m", "dpmpp-2m-sde", "unipc", "ddim", "ddpm", "lcm"]


def scheduler_of(name, config, classes=CLASSES):
    stem, _, suffix = name.rpartition("-")
    overrides = {SUFFIXES[suffix]: True} if suffix in SUFFIXES else {}
    stem = stem if overrides else name
    if overrides and classes is EDM_CLASSES:
        overrides = {"sigma_schedule": suffix}
    if stem == "dpmpp-2m-sde":
        overrides["algorithm_type"] = "sde-dpmsolver++"
    return getattr(diffusers, classes[stem]).from_config(dict(config), **overrides)


def rounded(values):
    return [float(f"{float(v):.9g}") for v in values]


def class_of(classes):
    return {"class": classes["euler"]} if classes is EDM_CLASSES else {}


# ---- schedules ----

def schedule_case(name, config, steps, classes=CLASSES):
    s = scheduler_of(name, config, classes)
    s.set_timesteps(steps)
    case = {"scheduler": name, "config": config, "steps": steps, **class_of(classes),
            "timesteps": rounded(s.timesteps), "init_noise_sigma": float(s.init_noise_sigma)}
    if getattr(s, "sigmas", None) is not None:
        case["sigmas"] = rounded(s.sigmas)
    return case


def schedule_cases():
    for k, name in enumerate(CLASSES):
        for spacing in SPACINGS:
            config = {**SDXL, "timestep_spacing": spacing}
            for steps in (1, 4, (2, 5, 10)[k % 3], (15, 20, 25)[k % 3]):
                if name != "pndm" or steps >= 4:
                    yield schedule_case(name, config, steps)
        yield schedule_case(name, {**SDXL, "timestep_spacing": "leading"}, 30)
    for name in ("euler", "dpmpp-2m", "ddim"):
        for spacing in SPACINGS:
            for steps in (48, 50, 3, 8):
                yield schedule_case(name, {**SDXL, "timestep_spacing": spacing}, steps)
    for k, name in enumerate(SPACED):
        for suffix in ("karras", "exponential", "beta", "lu"):
            if suffix == "lu" and not name.startswith("dpmpp"):
                continue
            for steps in (1, 2, 8, (20, 25, 30)[k % 3]):
                config = {**SDXL, "timestep_spacing": SPACINGS[steps % 3]}
                yield schedule_case(f"{name}-{suffix}", config, steps)
    for name in WITH_ZERO_SNR:
        for steps in (1, 6, 20):
            yield schedule_case(name, {**SDXL, **ZERO_SNR}, steps)
    for name in SPACED[:1] + SPACED[2:]:
        yield schedule_case(name + "-karras", {**SDXL, **ZERO_SNR}, 10)
    yield from schedule_oddities()
    yield from edm_schedules()


def edm_schedules():
    for name in EDM_CLASSES:
        for schedule in ("", "-karras", "-exponential"):
            for steps in (1, 2, 7, 25):
                yield schedule_case(name + schedule, PLAYGROUND, steps, EDM_CLASSES)
        yield schedule_case(name, {}, 5, EDM_CLASSES)
        yield schedule_case(name, COSXL, 9, EDM_CLASSES)
        yield schedule_case(name, {**COSXL, "final_sigmas_type": "sigma_min"}, 6, EDM_CLASSES)
        yield schedule_case(name, {**PLAYGROUND, "rho": 3.0, "sigma_min": 0.1}, 6, EDM_CLASSES)


def schedule_oddities():
    def odd(name, steps, **keys):
        return schedule_case(name, {**SDXL, **keys}, steps)
    for name in ("euler", "dpmpp-2m", "unipc"):
        for suffix in ("", "-karras", "-exponential"):
            yield odd(name + suffix, 6, final_sigmas_type="sigma_min")
        yield odd(name + "-karras", 5, sigma_min=0.1, sigma_max=10.0)
    yield odd("euler", 6, interpolation_type="log_linear", timestep_spacing="trailing")
    yield odd("euler-karras", 6, interpolation_type="log_linear")
    yield odd("euler", 6, timestep_type="continuous", prediction_type="v_prediction")
    yield odd("euler-karras", 6, timestep_type="continuous", prediction_type="v_prediction")
    yield odd("lcm", 4, original_inference_steps=100)
    yield odd("lcm", 50)
    yield odd("pndm", 7, skip_prk_steps=True)
    yield odd("pndm", 1, skip_prk_steps=True)
    yield odd("pndm", 2, skip_prk_steps=True, timestep_spacing="linspace")
    for name in ("euler", "dpmpp-2m", "dpmpp-2m-karras", "deis-karras", "ddim", "heun"):
        yield odd(name, 7, beta_schedule="squaredcos_cap_v2")
        yield odd(name, 7, beta_schedule="linear", num_train_timesteps=500, steps_offset=0)
    for spacing in SPACINGS:
        yield odd("dpmpp-2m", 9, lambda_min_clipped=-1.5, timestep_spacing=spacing)
    # The class's own defaults, as for an empty file.
    for name in CLASSES:
        yield schedule_case(name, {}, 5)


# ---- trajectories ----

WIDTH, DRAWS = 8, 40


def model(model_input, t):
    """Stands for the UNet: smooth, nonlinear, of the size of noise. The C test has it too."""
    return torch.tanh(0.7 * model_input + 0.1 * torch.sin(3 * model_input) + float(t) / 1000)


class Noise:
    """Rows of numbers in place of a generator."""

    def __init__(self, rows):
        self.rows, self.n_drawn = rows, 0

    def __call__(self, shape, **_):
        self.n_drawn += 1
        return self.rows[self.n_drawn - 1].reshape(shape)


def run(name, config, steps, strength, rows, eta, classes):
    """The loop of the SDXL pipelines. The first row starts the image, the next are for steps."""
    s = scheduler_of(name, config, classes)
    noise = Noise(rows)
    module = importlib.import_module(type(s).__module__)
    kept, module.randn_tensor = getattr(module, "randn_tensor", None), noise
    s.set_timesteps(steps)
    first = noise((1, 1, 1, WIDTH))
    if strength is None:
        timesteps, x = s.timesteps, first * s.init_noise_sigma
    else:
        t_start = max(steps - min(int(steps * strength), steps), 0)
        timesteps = s.timesteps[t_start * s.order:]
        if hasattr(s, "set_begin_index"):
            s.set_begin_index(t_start * s.order)
        x = s.add_noise(rows[-1].reshape(first.shape), first, timesteps[:1])
    extra = {"eta": eta} if "eta" in inspect.signature(s.step).parameters else {}
    samples, draws = [x], []
    for t in timesteps:
        before = noise.n_drawn
        out = model(s.scale_model_input(x, t), t)
        x = s.step(out, t, x, **extra, return_dict=False)[0]
        samples.append(x)
        draws.append(noise.n_drawn - before)
    module.randn_tensor = kept
    return samples, draws


def trajectory_case(rows, name, steps, strength=None, eta=0.0, classes=CLASSES, **keys):
    config = {**SDXL, "timestep_spacing": "leading", **keys} if classes is CLASSES else keys
    samples, draws = run(name, config, steps, strength, rows, eta, classes)
    assert all(torch.isfinite(x).all() for x in samples), (name, config, steps)
    wanted = sorted({0, 1, len(samples) // 2, len(samples) - 1})
    case = {"scheduler": name, "config": config, "steps": steps, **class_of(classes),
            "draws": draws,
            "samples": {str(i): rounded(samples[i].flatten()) for i in wanted}}
    if strength is not None:
        case["strength"] = strength
    if eta:
        case["eta"] = eta
    return case


def trajectory_cases(rows):
    def case(*args, **keys):
        return trajectory_case(rows, *args, **keys)
    yield from usual_trajectories(case)
    yield from solver_trajectories(case)
    yield from other_trajectories(case)
    yield from edm_trajectories(case)


def usual_trajectories(case):
    for k, name in enumerate(CLASSES):
        for spacing in SPACINGS:
            yield case(name, (4, 7, 20)[(k + len(spacing)) % 3], timestep_spacing=spacing)
        yield case(name, 6, prediction_type="v_prediction")
        if name not in ("euler-a", "pndm"):
            yield case(name, 6, prediction_type="sample")
        if name != "pndm":
            yield case(name, 1)
        yield case(name, 30)
        yield case(name, 10, 0.6)
        yield case(name, 20, 0.3, timestep_spacing="trailing")
        yield case(name, 8, 1.0)
    for name in WITH_ZERO_SNR:
        yield case(name, 6, **ZERO_SNR)
        yield case(name, 8, 0.5, **ZERO_SNR)
    for name in SPACED:
        for suffix in ("karras", "exponential", "beta"):
            yield case(f"{name}-{suffix}", 8)
        yield case(name + "-karras", 20, 0.4)


def solver_trajectories(case):
    for order in (1, 2, 3):
        for steps, strength in ((5, None), (16, None), (16, 0.5)):
            for name in ("dpmpp-2m", "dpmpp-2m-sde", "unipc", "deis"):
                yield case(name, steps, strength, solver_order=order)
            yield case("unipc", steps, strength, solver_order=order, solver_type="bh1",
                       final_sigmas_type="sigma_min")
            yield case("unipc", steps, strength, solver_order=order, predict_x0=False,
                       final_sigmas_type="sigma_min")
            yield case("dpmpp-2m", steps, strength, solver_order=order,
                       algorithm_type="dpmsolver", final_sigmas_type="sigma_min")
    for algorithm in ("dpmsolver++", "dpmsolver", "sde-dpmsolver++", "sde-dpmsolver"):
        for solver in ("midpoint", "heun"):
            yield case("dpmpp-2m", 6, algorithm_type=algorithm, solver_type=solver,
                       final_sigmas_type="sigma_min")
    for prediction in ("v_prediction", "sample"):
        yield case("dpmpp-2m", 6, algorithm_type="dpmsolver", prediction_type=prediction,
                   final_sigmas_type="sigma_min")
        yield case("unipc", 6, predict_x0=False, prediction_type=prediction,
                   final_sigmas_type="sigma_min")
    yield case("dpmpp-2m", 6, lower_order_final=False, final_sigmas_type="sigma_min")
    yield case("dpmpp-2m", 20, euler_at_final=True, final_sigmas_type="sigma_min")
    yield case("dpmpp-2m-karras", 20, solver_order=2, final_sigmas_type="sigma_min")
    yield case("dpmpp-2m-lu", 8)
    yield case("dpmpp-2m", 9, lambda_min_clipped=-1.5)
    yield case("unipc", 8, disable_corrector=[0, 2, 5])
    yield case("unipc", 8, solver_order=3, lower_order_final=False, final_sigmas_type="sigma_min")
    yield case("deis", 8, solver_order=3, lower_order_final=False)


def other_trajectories(case):
    for name in ("euler", "dpmpp-2m", "unipc"):
        yield case(name, 6, final_sigmas_type="sigma_min")
    yield case("euler", 6, interpolation_type="log_linear")
    yield case("euler", 6, timestep_type="continuous", prediction_type="v_prediction")
    for name in ("heun", "ddim", "ddpm", "lcm"):
        yield case(name, 6, clip_sample=True, clip_sample_range=0.8)
        yield case(name, 6, clip_sample=True, prediction_type="v_prediction")
    for variance in ("fixed_small", "fixed_small_log", "fixed_large"):
        yield case("ddpm", 6, variance_type=variance)
    yield case("ddpm", 6, steps_offset=0)
    for to_one in (False, True):
        yield case("ddim", 6, set_alpha_to_one=to_one, steps_offset=0)
        yield case("pndm", 6, set_alpha_to_one=to_one, steps_offset=0)
    yield case("ddim", 6, eta=0.5)
    yield case("ddim", 6, eta=1.0, prediction_type="v_prediction")
    for skip in (False, True):
        for steps, strength in ((5, None), (12, None), (12, 0.5), (12, 0.1)):
            yield case("pndm", steps, strength, skip_prk_steps=skip)
            yield case("pndm", steps, strength, skip_prk_steps=skip,
                       prediction_type="v_prediction")
    yield case("lcm", 4, original_inference_steps=100)
    yield case("lcm", 4, timestep_scaling=0.01)


def edm_trajectories(case):
    def edm(name, steps, strength=None, **keys):
        return case(name, steps, strength, classes=EDM_CLASSES, **keys)
    for name in EDM_CLASSES:
        for config in (PLAYGROUND, COSXL):
            for schedule in ("karras", "exponential"):
                yield edm(name, 6, **{**config, "sigma_schedule": schedule})
        yield edm(name, 1, **PLAYGROUND)
        yield edm(name, 20, **PLAYGROUND)
        yield edm(name, 10, 0.6, **PLAYGROUND)
        yield edm(name, 8, 1.0, **COSXL)
        yield edm(name, 6, **{**PLAYGROUND, "sigma_min": 0.1, "sigma_max": 20.0, "rho": 3.0})
        yield edm(name, 6, **{**PLAYGROUND, "prediction_type": "v_prediction"})
    for order in (1, 2, 3):
        for steps, strength in ((5, None), (16, None), (16, 0.5)):
            yield edm("dpmpp-2m", steps, strength, **{**PLAYGROUND, "solver_order": order})
    for name in ("dpmpp-2m", "dpmpp-2m-sde"):
        yield edm(name, 6, **{**PLAYGROUND, "solver_type": "heun"})
        yield edm(name, 20, **{**PLAYGROUND, "euler_at_final": True})
        yield edm(name, 8, **{**PLAYGROUND, "lower_order_final": False})


# ---- files ----

def write_lines(path, head, cases):
    """JSON with one case a line, so that a change shows in a diff."""
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    path.write_text(f"{{{head}\"cases\":[\n{lines}\n]}}\n")


def make(out):
    diffusers.logging.set_verbosity_error()
    write_lines(out / "schedules.json", "", schedule_cases())
    rows = torch.randn(DRAWS + 1, WIDTH, generator=torch.Generator().manual_seed(5))
    rows[-1] *= 0.8  # the last one is the picture of img2img
    head = f"\"noise\":{json.dumps([rounded(r) for r in rows])},\n"
    write_lines(out / "trajectories.json", head, trajectory_cases(rows))
    points = [{"p": p, "a": a, "x": float(scipy.stats.beta.ppf(p, a, a))}
              for a in (0.6, 2.0) for p in (0.0, 1e-6, 0.01, 0.25, 1 / 3, 0.5, 0.7, 0.999, 1.0)]
    write_lines(out / "quantiles.json", "", points)
