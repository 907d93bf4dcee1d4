package dev.likeness.eval;

/**
 * What is measured of one picture (docs/method.md defines each).
 *
 * @param psnr identity: masked PSNR of the subject at its new place, dB
 * @param ssim identity: masked SSIM there
 * @param ghost masked PSNR against the subject at the reference's own old place, dB
 * @param scene PSNR against plain generation outside the subject's new place, dB
 * @param prompt by how much the error of the model's prediction outside that place grows under the best of the other scenes'
 *     prompts, as a share of that under its own; above 0 where the model finds the prompt's scene in the picture
 */
public record Measures(double psnr, double ssim, double ghost, double scene, double prompt) {}
