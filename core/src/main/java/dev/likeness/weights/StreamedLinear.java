package dev.likeness.weights;

import dev.likeness.tensor.CopyStream;
import dev.likeness.tensor.DType;
import dev.likeness.tensor.Device;
import dev.likeness.tensor.Ops;
import dev.likeness.tensor.Scope;
import org.bytedeco.pytorch.Tensor;

/**
 * A linear layer whose weights are read from their file at each use, and let go again. While it computes, the next layer is
 * brought into the system's memory, or onto the GPU.
 */
final class StreamedLinear implements Linear {

    private final StoredWeight weight;
    private final Tensor bias;
    private final DType dtype;
    private final Device device;
    private final ReadAhead readAhead;
    private final int number;

    StreamedLinear(StoredWeight weight, Tensor bias, DType dtype, Device device, ReadAhead readAhead) {
        this.weight = weight;
        this.bias = bias;
        this.dtype = dtype;
        this.device = device;
        this.readAhead = readAhead;
        number = readAhead.add(weight);
    }

    @Override
    public Tensor forward(Tensor x) {
        return device.isCpu() ? mapped(x) : sent(x);
    }

    /** With weights that were sent while the layer before computed. */
    Tensor sent(Tensor x) {
        Tensor read = readAhead.take(number, dtype, device);
        try (Scope scope = Scope.open()) {
            Tensor y = scope.keep(Ops.linear(x, read, bias));
            CopyStream.finish(device); // the memory goes to the layer after the next, which the other stream writes
            return y;
        } finally {
            Scope.release(read);
        }
    }

    private Tensor mapped(Tensor x) {
        readAhead.after(number);
        StoredWeight.Read read;
        Tensor y;
        try (Scope scope = Scope.open()) {
            read = weight.read(dtype, device);
            y = scope.keep(Ops.linear(x, read.tensor(), bias));
        }
        read.end();
        return y;
    }
}
