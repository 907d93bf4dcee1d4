package dev.likeness.features;

import dev.likeness.image.Picture;

/** Pictures to vectors whose cosines say how alike two pictures are. */
public interface ImageEncoder extends AutoCloseable {

    /** The picture's vector, of any length; alpha is ignored. */
    float[] features(Picture picture);

    @Override
    void close();
}
