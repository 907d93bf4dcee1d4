package dev.likeness.inject;

/** The level at which reference tokens take the place of generated ones while sigma > tau. */
public enum ReplaceAt {
    /** The input of the attention projections, as the public implementation of the paper does it. */
    ATTENTION,
    /** The residual stream at the entry of every block. */
    HIDDEN,
    /** The latent itself; needs no reference pass, since the exact trajectory is known. */
    LATENT
}
