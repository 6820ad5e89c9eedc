/** The least RSA modulus that signatures are trusted by, wherever the key comes from (NIST SP 800-131A). */
export const MIN_RSA_BITS = 2048;
