package dev.likeness.tensor;

import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;

/**
 * Bounds the life of native memory: every tensor made in this thread while the scope is the innermost open one is
 * freed when it closes, unless {@linkplain #keep kept}. Freed means that this handle lets go; data that autograd or a
 * view still needs lives on inside libtorch.
 */
public final class Scope implements AutoCloseable {

    private final PointerScope parent;
    private final PointerScope own;

    private Scope() {
        parent = PointerScope.getInnerScope();
        own = new PointerScope();
    }

    public static Scope open() {
        return new Scope();
    }

    /** Hands a tensor to the enclosing scope, or to the caller for good when there is none. */
    public Tensor keep(Tensor tensor) {
        if (parent != null) {
            parent.attach(tensor);
        } else {
            tensor.retainReference();
        }
        return tensor;
    }

    /** Makes a tensor outlive every scope; the owner frees it with {@link #release}. */
    public static Tensor own(Tensor tensor) {
        tensor.retainReference();
        return tensor;
    }

    /** Frees a tensor that was {@linkplain #own owned}. */
    public static void release(Tensor tensor) {
        tensor.releaseReference();
    }

    @Override
    public void close() {
        own.close();
    }
}
