package dev.likeness.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import java.util.List;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DeviceTest {

    @ParameterizedTest
    @CsvSource({"cpu, 0, cpu", "cpu, 2, cpu", "auto, 0, cpu", "auto, 1, cuda", "cuda, 1, cuda", "cuda:0, 1, cuda:0",
        "cuda:7, 8, cuda:7"})
    void namesMeanDevicesThatAreThere(String name, int cudaDevices, String device) {
        assertThat(Device.of(name, cudaDevices).name()).isEqualTo(device);
    }

    @ParameterizedTest
    @CsvSource({"cuda, 0, -Pgpu", "cuda:0, 0, --device cpu", "cuda:1, 1, cuda:0 to cuda:0", "cuda:8, 8, cuda:0 to cuda:7"})
    void devicesThatAreNotThereAreRefused(String name, int cudaDevices, String said) {
        assertThatThrownBy(() -> Device.of(name, cudaDevices)).isInstanceOfSatisfying(Refusal.class,
                refusal -> assertThat(refusal.kind()).isEqualTo(Refusal.Kind.RESOURCES)).hasMessageContainingAll(name, said);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "gpu", "CUDA", "cuda:", "cuda:-1", "cuda:x", "cuda:1000", "cpu:0", "cuda:0 "})
    void otherNamesAreRefusedWithoutLookingAtTheMachine(String name) {
        assertThatThrownBy(() -> Device.of(name)).isInstanceOfSatisfying(Refusal.class,
                refusal -> assertThat(refusal.kind()).isEqualTo(Refusal.Kind.USAGE));
    }

    @Test
    void thisBuildTellsWhetherThereIsCuda() {
        assertThat(Device.of("auto").isCpu()).isEqualTo(!torch.cuda_is_available());
    }

    @Test
    void aGpuComputesInBfloat16() {
        assertThat(new Device("cuda:1").fastest()).isEqualTo(DType.BFLOAT16);
    }

    @Test
    void freeMemoryOfAGpuIsWhatItsDriverTells() {
        List<String> told = List.of("24000", "11", "[N/A]");
        assertThat(new Device("cuda").freeOfCuda(told)).isEqualTo(24000L << 20);
        assertThat(new Device("cuda:1").freeOfCuda(told)).isEqualTo(11L << 20);
        assertThat(new Device("cuda:2").freeOfCuda(told)).isEqualTo(Long.MAX_VALUE);
        assertThat(new Device("cuda:3").freeOfCuda(told)).isEqualTo(Long.MAX_VALUE);
        assertThat(new Device("cuda").freeOfCuda(List.of())).isEqualTo(Long.MAX_VALUE);
    }

    @ParameterizedTest
    @CsvSource({
        "true, BFLOAT16, false, false, true", "true, FLOAT32, true, false, true", "true, FLOAT16, false, true, true",
        "false, FLOAT32, false, false, true", "false, FLOAT32, true, false, false", "false, FLOAT32, false, true, false",
        "false, BFLOAT16, false, false, false", "false, FLOAT16, false, false, false"
    })
    void theFusedKernelIsTakenWhereItIsTheFasterOne(boolean cuda, DType dtype, boolean biased, boolean gradient, boolean fused) {
        assertThat(Ops.fuses(cuda, dtype, biased, gradient)).isEqualTo(fused);
    }

    @Test
    void noiseOfASeedIsDrawnOnTheCpuInFloat32() {
        try (Scope scope = Scope.open()) {
            var noise = Tensors.noise(7, 2, 3);
            assertThat(noise.is_cpu()).isTrue();
            assertThat(DType.of(noise)).isEqualTo(DType.FLOAT32);
            assertThat(Tensors.floats(noise)).isEqualTo(Tensors.floats(Tensors.noise(7, 2, 3)))
                    .isNotEqualTo(Tensors.floats(Tensors.noise(8, 2, 3)));
        }
    }
}
