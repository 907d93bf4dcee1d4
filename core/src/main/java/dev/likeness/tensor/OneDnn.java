package dev.likeness.tensor;

import org.bytedeco.pytorch.Dispatcher;
import org.bytedeco.pytorch.GenericList;
import org.bytedeco.pytorch.IValue;
import org.bytedeco.pytorch.IValueVector;
import org.bytedeco.pytorch.OperatorHandle;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * oneDNN's linear layers, which libtorch has for its compiler (ATen/native/mkldnn/Linear.cpp). Against the usual ones they run
 * on OpenMP's threads in float32 too, take weights in the layout that the processor multiplies fastest in, and apply GELU to
 * what they have just computed. For inference: no gradient flows through them.
 */
final class OneDnn {

    private static final OperatorHandle LINEAR = operator("mkldnn::_linear_pointwise");
    private static final OperatorHandle REORDER = operator("mkldnn::_reorder_linear_weight");
    private static final GenericList NO_SCALARS = noScalars();

    private OneDnn() {}

    private static OperatorHandle operator(String name) {
        try (Scope scope = Scope.open()) {
            OperatorHandle found = Dispatcher.singleton().findSchemaOrThrow(name, "");
            found.retainReference();
            return found;
        }
    }

    private static GenericList noScalars() {
        try (Scope scope = Scope.open()) {
            // The list's element type must be the one that the operator declares for its fifth argument.
            GenericList list = new GenericList(LINEAR.schema().arguments().getPointer(4).type().get().containedType(0));
            list.retainReference();
            return list;
        }
    }

    /** Whether weights of that type on that device can be packed, and it is worth it. */
    static boolean packs(Device device, DType dtype) {
        return device.isCpu() && torch.hasMKLDNN() && (dtype == DType.FLOAT32 || dtype == DType.BFLOAT16 && device.fastest() == dtype);
    }

    /** A copy of weights [out, in] that {@link #linear} alone can read. */
    static Tensor pack(Tensor weight) {
        try (Scope scope = Scope.open()) {
            return scope.keep(call(REORDER, new IValue(weight), new IValue()));
        }
    }

    /** x [..., in] to [..., out] by plain or packed weights; bias [out] or null. */
    static Tensor linear(Tensor x, Tensor weight, Tensor bias, boolean geluTanh) {
        try (Scope scope = Scope.open()) {
            return scope.keep(call(LINEAR, new IValue(x), new IValue(weight), bias == null ? new IValue() : new IValue(bias),
                    new IValue(geluTanh ? "gelu" : "none"), new IValue(NO_SCALARS), geluTanh ? new IValue("tanh") : new IValue()));
        }
    }

    private static Tensor call(OperatorHandle operator, IValue... arguments) {
        IValueVector stack = new IValueVector(arguments);
        operator.callBoxed(stack);
        return new Tensor(stack.get(0).toTensor()); // of its own: the other one lies within the stack
    }
}
