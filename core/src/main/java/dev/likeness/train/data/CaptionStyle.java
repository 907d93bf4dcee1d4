package dev.likeness.train.data;

/** How captions are worded. */
public enum CaptionStyle {
    /** Always {@code a penguin on a beach}. */
    PLAIN,
    /** Varied wording; sometimes place and size are said too. */
    VARIED
}
