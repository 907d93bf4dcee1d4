package dev.likeness.tensor;

import org.bytedeco.pytorch.DeviceGuardImplInterface;
import org.bytedeco.pytorch.Stream;
import org.bytedeco.pytorch.global.torch;

/**
 * A stream of a device's own: copies to it go on while the device computes on another one. A CPU has one stream only, on which
 * everything happens at once.
 */
public final class CopyStream {

    private final DeviceGuardImplInterface streams;
    private final Stream own;

    public CopyStream(Device device) {
        try (Scope scope = Scope.open()) {
            org.bytedeco.pytorch.Device torchDevice = device.torchDevice();
            streams = torch.getDeviceGuardImpl(torchDevice.type());
            own = streams.getNewStream(torchDevice);
            own.retainReference();
        }
    }

    /** Runs copies in this thread, and waits until they have arrived. */
    public void run(Runnable copies) {
        Stream before = streams.exchangeStream(own);
        try {
            copies.run();
            streams.synchronizeStream(own);
        } finally {
            streams.exchangeStream(before);
        }
    }

    /** Waits until a device has computed what this thread has given it to compute. */
    public static void finish(Device device) {
        try (Scope scope = Scope.open()) {
            org.bytedeco.pytorch.Device torchDevice = device.torchDevice();
            DeviceGuardImplInterface streams = torch.getDeviceGuardImpl(torchDevice.type());
            streams.synchronizeStream(streams.getStream(torchDevice));
        }
    }
}
