/** SHA-256 of files, of any size, without having one in memory. */

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";

/** Bytes up to which the browser's own function is used, which takes a file whole. */
export const WHOLE_UP_TO = 32 << 20;

/** Return the digest of a file in hexadecimal; raise what reading it raises. */
export async function digest(file: Blob): Promise<string> {
  // Without TLS, on another host than this one, browsers have no subtle cryptography.
  const subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle;
  if (subtle !== undefined && file.size <= WHOLE_UP_TO) {
    return bytesToHex(new Uint8Array(await subtle.digest("SHA-256", await file.arrayBuffer())));
  }
  const hash = sha256.create();
  const reader = file.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return bytesToHex(hash.digest());
    hash.update(value);
  }
}
