package dev.likeness.tensor;

import dev.likeness.error.Refusal;
import org.bytedeco.pytorch.global.torch;

/** Where a network computes: {@code cpu}, {@code cuda} or {@code cuda:1}. */
public record Device(String name) {

    public static final Device CPU = new Device("cpu");

    /** @throws Refusal (usage) when the name is not a device; whether this machine has it is not looked at */
    public static void requireKnown(String name) {
        if (!name.matches("auto|cpu|cuda(:\\d{1,3})?")) {
            throw Refusal.usage("--device %s is unknown; use auto, cpu, cuda or cuda:0.", name);
        }
    }

    /**
     * @throws Refusal (usage) when the name is not a device, (resources) when this build or machine has no such device
     */
    public static Device of(String name) {
        requireKnown(name);
        if (name.equals("cpu") || name.equals("auto") && !torch.cuda_is_available()) {
            return CPU;
        }
        if (name.equals("auto")) {
            return new Device("cuda");
        }
        if (!torch.cuda_is_available()) {
            throw Refusal.resources("--device %s: no CUDA device is visible to this build; build with -Pgpu on a machine "
                    + "with an NVIDIA driver, or use --device cpu.", name);
        }
        return new Device(name);
    }

    public boolean isCpu() {
        return name.equals("cpu");
    }

    org.bytedeco.pytorch.Device torchDevice() {
        return new org.bytedeco.pytorch.Device(name);
    }
}
