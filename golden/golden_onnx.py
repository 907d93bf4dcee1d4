"""Small segmentation networks in ONNX, of the kinds that are about, and what ONNX Runtime makes of one picture with them."""

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper

from tiny import HERE, generator, normal, spread, write_tensors

HEIGHT, WIDTH = 24, 32
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
HALF = ((0.5, 0.5, 0.5), (1.0, 1.0, 1.0))
NONE = ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def weight(name: str, *shape: int, std: float):
    return numpy_helper.from_array(normal(f"onnx/{name}", *shape, std=std).numpy(), name)


def head(output: str, kind: str, values: list[float]):
    """Of both signs, so that probabilities fall on either side of a half."""
    shape = (1, 4, 1, 1) if kind == "w" else (1,)
    return numpy_helper.from_array(np.array(values, np.float32).reshape(shape), f"{kind}_{output}")


def save(name: str, nodes: list, inputs: list, outputs: list, weights: list) -> None:
    graph = helper.make_graph(nodes, "segment", inputs, outputs, weights)
    model = helper.make_model(graph, producer_name="likeness", ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    onnx.checker.check_model(model, full_check=True)
    (HERE / name).write_bytes(model.SerializeToString(deterministic=True))


def value(name: str, kind: int, *shape):
    return helper.make_tensor_value_info(name, kind, shape)


def features(image: str) -> list:
    return [helper.make_node("Conv", [image, "w1", "b1"], ["conv"], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", ["conv"], ["features"])]


WEIGHTS = [weight("w1", 4, 3, 3, 3, std=0.6), weight("b1", 4, std=0.3)]


def write_models() -> None:
    # As U2-Net and IS-Net: sizes are fixed, probabilities, the best first, then others and features.
    single = TensorProto.FLOAT
    side = [helper.make_node("Conv", ["features", f"w_{o}", f"b_{o}"], [f"{o}_logits"]) for o in ("d0", "d1")]
    side += [helper.make_node("Sigmoid", [f"{o}_logits"], [o]) for o in ("d0", "d1")]
    heads = [head(o, kind, values) for o, kind, values in (("d0", "w", [1, -1, 1, -1]), ("d0", "b", [0.1]),
                                                           ("d1", "w", [-1, 1, 1, -1]), ("d1", "b", [-0.2]))]
    save("segment-tiny.onnx", features("image") + side, [value("image", single, 1, 3, HEIGHT, WIDTH)],
         [value("d0", single, 1, 1, HEIGHT, WIDTH), value("d1", single, 1, 1, HEIGHT, WIDTH),
          value("features", single, 1, 4, HEIGHT, WIDTH)], WEIGHTS + heads)

    # As BiRefNet: open sizes, logits, the finest last; here in half precision outside. A term of its own for each column
    # makes it fail at other widths, as networks do that take multiples of 32 only.
    half = TensorProto.FLOAT16
    nodes = [helper.make_node("Cast", ["image"], ["single"], to=single)] + features("single") + [
        helper.make_node("Conv", ["features", "w_d0", "b_d0"], ["seen"]),
        helper.make_node("Add", ["seen", "columns"], ["fine"]),
        helper.make_node("AveragePool", ["fine"], ["pooled"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Cast", ["pooled"], ["coarse_logits"], to=half),
        helper.make_node("Cast", ["fine"], ["fine_logits"], to=half)]
    save("segment-tiny-half.onnx", nodes, [value("image", half, "batch", 3, "height", "width")],
         [value("coarse_logits", half, "batch", 1, "half_height", "half_width"),
          value("fine_logits", half, "batch", 1, "height", "width")],
         WEIGHTS + heads[:2] + [weight("columns", 1, 1, 1, WIDTH, std=1.0)])

    # No segmentation networks: one gives classes, the other wants two pictures.
    image = value("image", single, 1, 3, HEIGHT, WIDTH)
    means = helper.make_node("ReduceMean", ["image"], ["classes"], axes=[2, 3], keepdims=0)
    save("segment-classes.onnx", [means], [image], [value("classes", single, 1, 3)], [])
    save("segment-two-inputs.onnx", [helper.make_node("Sub", ["image", "trimap"], ["mask"])],
         [image, value("trimap", single, 1, 3, HEIGHT, WIDTH)], [value("mask", single, 1, 3, HEIGHT, WIDTH)], [])


def run(name: str, image: np.ndarray) -> dict[str, torch.Tensor]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(HERE / name, options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    return {n: torch.from_numpy(v.astype(np.float32)) for n, v in zip(names, session.run(names, {"image": image}))}


def normalised(picture: np.ndarray, normalisation) -> np.ndarray:
    """[H, W, 3] bytes to [1, 3, H, W]."""
    mean, std = (np.array(part, np.float32) for part in normalisation)
    return ((picture.astype(np.float32) / 255 - mean) / std).transpose(2, 0, 1)[None].astype(np.float32)


def write() -> None:
    write_models()
    picture = torch.randint(0, 256, (HEIGHT, WIDTH, 3), generator=generator("onnx/picture"))
    out = {"picture": picture}
    for name, normalisation in (("imagenet", IMAGENET), ("half", HALF), ("none", NONE)):
        out[f"probabilities.{name}"] = run("segment-tiny.onnx", normalised(picture.numpy(), normalisation))["d0"][0, 0]
    logits = run("segment-tiny-half.onnx", normalised(picture.numpy(), IMAGENET).astype(np.float16))["fine_logits"]
    out["logits"] = logits[0, 0]
    for name in list(out)[1:]:
        spread(name, out[name])
    write_tensors(HERE / "segment.safetensors", out)
