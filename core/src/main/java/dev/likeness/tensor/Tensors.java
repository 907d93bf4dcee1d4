package dev.likeness.tensor;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.DeviceOptional;
import org.bytedeco.pytorch.Generator;
import org.bytedeco.pytorch.GeneratorOptional;
import org.bytedeco.pytorch.MemoryFormatOptional;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;

/** Making tensors out of Java data and the other way round. */
public final class Tensors {

    private Tensors() {}

    static TensorOptions options(DType dtype) {
        return new TensorOptions().dtype(new ScalarTypeOptional(dtype.scalarType));
    }

    private static TensorOptions options(DType dtype, Device device) {
        return options(dtype).device(new DeviceOptional(device.torchDevice()));
    }

    public static Tensor of(float[] values, long... shape) {
        return torch.from_blob(new FloatPointer(values), shape, options(DType.FLOAT32)).clone();
    }

    public static Tensor of(double[] values, long... shape) {
        return torch.from_blob(new DoublePointer(values), shape, options(DType.FLOAT64)).clone();
    }

    public static Tensor of(long[] values, long... shape) {
        return torch.from_blob(new LongPointer(values), shape, options(DType.INT64)).clone();
    }

    /** Rows of one length. */
    public static Tensor of(long[][] rows) {
        return of(Arrays.stream(rows).flatMapToLong(Arrays::stream).toArray(), rows.length, rows[0].length);
    }

    /** A view of a direct buffer; the buffer must outlive the tensor. */
    public static Tensor view(ByteBuffer buffer, DType dtype, long... shape) {
        Pointer bytes = new BytePointer(buffer);
        return torch.from_blob(bytes, shape, options(dtype));
    }

    /** The same bytes as elements of another type; the last axis changes its length where the size of an element does. */
    public static Tensor reinterpret(Tensor tensor, DType dtype) {
        return tensor.view(dtype.scalarType);
    }

    /** Uninitialised memory, for a tensor whose every element is written next. */
    public static Tensor empty(DType dtype, Device device, long... shape) {
        return torch.empty(shape, options(dtype, device), new MemoryFormatOptional());
    }

    public static Tensor zeros(DType dtype, Device device, long... shape) {
        return torch.zeros(shape, options(dtype, device));
    }

    public static Tensor full(double value, DType dtype, Device device, long... shape) {
        return torch.full(shape, new Scalar(value), options(dtype, device));
    }

    /** Uninitialised memory without a device: shapes only (the meta device). */
    public static Tensor meta(long... shape) {
        return torch.zeros(shape, options(DType.FLOAT32, new Device("meta")));
    }

    /**
     * Standard normal float32 noise, drawn on the CPU by libtorch's Mersenne Twister, so that a seed means the same
     * picture on every device (and the same noise as a seeded CPU generator of PyTorch).
     */
    public static Tensor noise(long seed, long... shape) {
        try (Scope scope = Scope.open()) {
            Generator generator = torch.make_generator_cpu(seed);
            return scope.keep(torch.randn(shape, new GeneratorOptional(generator), options(DType.FLOAT32)));
        }
    }

    public static Tensor to(Tensor tensor, DType dtype) {
        return Float8.widens(tensor, dtype) ? Float8.widen(tensor, dtype) : tensor.to(dtype.scalarType);
    }

    public static Tensor to(Tensor tensor, Device device, DType dtype) {
        return tensor.to(device.torchDevice(), dtype.scalarType);
    }

    /**
     * A copy on a GPU, by way of pinned memory, from which it is taken without the processor. It arrives in the order of the
     * current stream, maybe after the call.
     */
    public static Tensor send(Tensor tensor, Device device) {
        return tensor.pin_memory().to(device.torchDevice(), tensor.scalar_type(), true, false, new MemoryFormatOptional());
    }

    /** Converts to the element type and device of another tensor. */
    public static Tensor like(Tensor tensor, Tensor other) {
        return tensor.to(other.device(), other.scalar_type());
    }

    /** Moves to the device of another tensor and keeps the element type. */
    public static Tensor onDeviceOf(Tensor tensor, Tensor other) {
        return tensor.to(other.device(), tensor.scalar_type());
    }

    public static boolean isFloat32(Tensor tensor) {
        return tensor.scalar_type().value == DType.FLOAT32.scalarType.value;
    }

    /** All elements in row-major order. */
    public static float[] floats(Tensor tensor) {
        try (Scope scope = Scope.open()) {
            Tensor plain = tensor.detach().to(Device.CPU.torchDevice(), DType.FLOAT32.scalarType).contiguous();
            float[] values = new float[Math.toIntExact(plain.numel())];
            new FloatPointer(plain.data_ptr()).get(values);
            return values;
        }
    }

    /** Raw bytes of a contiguous CPU copy in the given element type. */
    public static byte[] bytes(Tensor tensor, DType dtype) {
        try (Scope scope = Scope.open()) {
            Tensor plain = tensor.detach().to(Device.CPU.torchDevice(), dtype.scalarType).contiguous();
            byte[] values = new byte[Math.toIntExact(plain.numel() * dtype.bytes())];
            new BytePointer(plain.data_ptr()).get(values);
            return values;
        }
    }

    public static float item(Tensor tensor) {
        return tensor.item().toFloat();
    }

    public static long[] shape(Tensor tensor) {
        return tensor.sizes().vec().get();
    }
}
