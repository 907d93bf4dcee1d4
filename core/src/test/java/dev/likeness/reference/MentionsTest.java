package dev.likeness.reference;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.likeness.error.Refusal;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MentionsTest {

    /** The noun of a name is the name in brackets. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', ignoreLeadingAndTrailingWhitespace = false, nullValues = "-", value = {
        "a photo of @robot on a beach|a photo of [robot] on a beach|robot",
        "@robot|[robot]|robot",
        "@robot's hat, (@tea-pot_2).|[robot]'s hat, ([tea-pot_2]).|robot tea-pot_2",
        "@b @a @b|[b] [a] [b]|b a",
        "@a@b|[a]@b|a",
        "mail@host und mäil@host, é@host, 2@host, _@host|mail@host und mäil@host, é@host, 2@host, _@host|-",
        "狐@robot 狐 @robot狐|狐@robot 狐 [robot狐]|robot狐",
        "🦊@robot🦊|🦊[robot]🦊|robot",
        "mail@@host, @@robot, @@@robot|mail@host, @robot, @[robot]|robot",
        "@@@@|@@|-",
        "at the end @|at the end @|-",
        "@ robot, @Robot, @2, @-|@ robot, [Robot], [2], @-|Robot 2",
        "@robotÄ @robotX|[robotÄ] [robotX]|robotÄ robotX",
        "|''|-",
    })
    void mentionsBecomeNouns(String prompt, String expected, String names) {
        String text = prompt == null ? "" : prompt;
        Mentions mentions = Mentions.of(text, name -> "[" + name + "]");
        assertThat(mentions.prompt()).isEqualTo(expected);
        assertThat(mentions.names()).isEqualTo(names == null ? List.of() : List.of(names.split(" ")));
    }

    @Test
    void nounsAreTakenAsTheyAreAndAskedForOnce() {
        List<String> asked = new ArrayList<>();
        Mentions mentions = Mentions.of("@a and @a", name -> {
            asked.add(name);
            return "$1 \\ @b";
        });
        assertThat(mentions.prompt()).isEqualTo("$1 \\ @b and $1 \\ @b");
        assertThat(asked).containsExactly("a");
    }

    @Test
    void anUnknownNameIsRefusedByTheLibrary(@TempDir Path folder) {
        SubjectLibrary library = new SubjectLibrary(folder);
        assertThatThrownBy(() -> Mentions.of("a photo of @robot.", name -> library.get(name).prompt()))
                .isInstanceOf(Refusal.class).hasMessageContaining("@robot in");
        assertThatThrownBy(() -> Mentions.of("meet @Robot", name -> library.get(name).prompt()))
                .isInstanceOf(Refusal.class).hasMessageContaining("Robot").hasMessageContaining("@@");
        assertThatThrownBy(() -> Mentions.of("@" + "a".repeat(65), name -> library.get(name).prompt()))
                .isInstanceOf(Refusal.class).hasMessageContaining("1 to 64");
    }
}
