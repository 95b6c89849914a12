import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { Payload } from '@temporalio/common';
import proto from '@temporalio/proto';

const { Payload: Message } = proto.temporal.api.common.v1;

/** As the encryption codecs of Temporal's examples name it; its web UI then says so. */
const encoding = Buffer.from('binary/encrypted');
const [ivBytes, tagBytes] = [12, 16];

/** Encrypts payloads with AES-256-GCM under a key of its own, derived from that of the home; each is bound to its place. */
export class HiddenPayloads {
  readonly #key: Uint8Array;

  constructor(homeKey: Uint8Array) {
    this.#key = new Uint8Array(hkdfSync('sha256', homeKey, '', 'epochal payloads', 32));
  }

  /** The payload, with metadata and data hidden. */
  hide(payload: Payload, place: string): Payload {
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv('aes-256-gcm', this.#key, iv).setAAD(Buffer.from(place));
    const hidden = [cipher.update(Message.encode(payload).finish()), cipher.final()];
    return { metadata: { encoding }, data: Buffer.concat([iv, cipher.getAuthTag(), ...hidden]) };
  }

  /** What {@link hide} was given, also if that was not hidden. Throws for one that was changed, or is for another place. */
  show(payload: Payload, place: string): Payload {
    if (!encoding.equals(payload.metadata?.encoding ?? new Uint8Array())) return payload;
    const data = payload.data ?? new Uint8Array();
    const iv = data.subarray(0, ivBytes);
    const decipher = createDecipheriv('aes-256-gcm', this.#key, iv, { authTagLength: tagBytes })
      .setAAD(Buffer.from(place))
      .setAuthTag(data.subarray(ivBytes, ivBytes + tagBytes));
    const shown = [decipher.update(data.subarray(ivBytes + tagBytes)), decipher.final()];
    return Message.decode(Buffer.concat(shown));
  }
}
