/** Primes modulo which the powers of 65537 are few enough to tell. */
const primes = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107,
  109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
];

/**
 * Answers whether an RSA modulus bears the mark of Infineon's key generator, whose keys can be factored
 * (CVE-2017-15361, "ROCA"): modulo every small prime it is a power of 65537.
 */
export function isRocaModulus(modulus: bigint): boolean {
  return primes.every((prime) => {
    const rest = Number(modulus % BigInt(prime));
    let power = 1;
    for (let exponent = 0; exponent < prime && power !== rest; exponent++) power = (power * 65_537) % prime;
    return power === rest;
  });
}
