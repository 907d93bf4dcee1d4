package dev.likeness.segment;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import dev.likeness.image.Box;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SegmentationTest {

    @Test
    void everyFormIsRead() {
        assertThat(Segmentation.parse("alpha")).isEqualTo(new Segmentation.Alpha());
        assertThat(Segmentation.parse("file:masks/fox.png")).isEqualTo(new Segmentation.File(Path.of("masks/fox.png")));
        assertThat(Segmentation.parse("attention:fox")).isEqualTo(new Segmentation.Attention("fox"));
        assertThat(Segmentation.parse("box:1,2,30,40")).isEqualTo(new Segmentation.InBox(new Box(1, 2, 30, 40)));
        assertThat(Segmentation.parse("box: 1, 2, 30, 40")).isEqualTo(new Segmentation.InBox(new Box(1, 2, 30, 40)));
        assertThat(Segmentation.parse("click:0,7")).isEqualTo(new Segmentation.Click(0, 7));
        assertThat(Segmentation.parse("onnx:/models/u2net.onnx"))
                .isEqualTo(new Segmentation.Onnx(Path.of("/models/u2net.onnx"), OnnxSegmenter.Options.DEFAULT));
    }

    @ParameterizedTest
    @ValueSource(strings = {"alpha", "file:a mask:2.png", "attention:red fox", "attention:a:b", "box:0,0,1,1",
            "box:10,20,2147483647,1", "click:3,4", "onnx:/a/b.onnx", "file:100%.png"})
    void theTextIsGivenBack(String text) {
        assertThat(Segmentation.parse(text).flag()).isEqualTo(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "alpha:", "alpha:1", "Alpha", "file", "file:", "file: ", "file:a\0b", "onnx:", "attention:",
            "attention: ", "box", "box:", "box:1,2,3", "box:1,2,3,4,5", "box:1,2,0,4", "box:1,2,3,-4", "box:-1,2,3,4",
            "box:1.5,2,3,4", "box:1,2,3,x", "box:1,2,3,99999999999", "click:1", "click:1,2,3", "click:-1,2", "click:,",
            "sam:1,2", ":", "%s"})
    void anythingElseIsRefusedWithTheForms(String text) {
        assertThatThrownBy(() -> Segmentation.parse(text))
                .isInstanceOfSatisfying(Refusal.class, r -> assertThat(r.kind()).isEqualTo(Refusal.Kind.USAGE))
                .hasMessageContaining("--segment " + text + " says")
                .hasMessageContaining("alpha, file:PATH, attention:WORD, box:x,y,w,h, click:x,y or onnx:PATH");
    }
}
