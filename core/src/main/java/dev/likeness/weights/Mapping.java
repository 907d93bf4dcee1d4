package dev.likeness.weights;

import java.lang.reflect.Method;
import java.nio.ByteBuffer;

/** Ends a memory mapping at once: the garbage collector, which would do it, sees only the few bytes of the buffer. */
final class Mapping {

    private static final Object UNSAFE;
    private static final Method CLEAN;

    static {
        try {
            Class<?> type = Class.forName("sun.misc.Unsafe"); // exported for this by the module jdk.unsupported
            var field = type.getDeclaredField("theUnsafe");
            field.setAccessible(true);
            UNSAFE = field.get(null);
            CLEAN = type.getMethod("invokeCleaner", ByteBuffer.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private Mapping() {}

    /** The buffer, and all tensors that view it, must not be used any more. */
    static void end(ByteBuffer mapped) {
        if (mapped.capacity() == 0) {
            return;
        }
        try {
            CLEAN.invoke(UNSAFE, mapped);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }
}
