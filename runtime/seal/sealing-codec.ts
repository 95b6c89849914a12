import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Payload, PayloadCodec, SerializationContext } from '@temporalio/common';
import { RefusedError } from '../../artifacts/errors.ts';
import { notSealed, refusal, sealCure } from '../../workflows/messages.ts';
import { HiddenPayloads } from './hidden-payload.ts';

const mark = 'epochal-seal';

/** What becomes of a payload that is not sealed: an error, or a value that says so, for workflows, where an error would be tried again for ever. */
export type Refusing = 'throw' | 'mark';

/**
 * Seals every payload with an HMAC-SHA256, in its metadata, over its contents and over the workflow or activity that it is for, and refuses any
 * that are not sealed so: whoever has no key can neither write a message nor use one of another workflow's. The contents stay readable unless `hides`.
 */
export function sealingCodec(key: Uint8Array, refusing: Refusing, hides = false): PayloadCodec {
  const hidden = new HiddenPayloads(key);
  const sealOf = (payload: Payload, context: SerializationContext | undefined): Buffer => {
    const hmac = createHmac('sha256', key);
    const metadata = Object.entries(payload.metadata ?? {}).filter(([name]) => name !== mark);
    const parts = [placeOf(context), ...metadata.sort(([a], [b]) => (a < b ? -1 : 1)).flat()];
    for (const part of [...parts, payload.data ?? '']) {
      const bytes = Buffer.from(part);
      hmac.update(`${bytes.length}:`).update(bytes);
    }
    return hmac.digest();
  };
  return {
    encode: async (payloads, context) =>
      payloads.map((readable) => {
        const payload = hides ? hidden.hide(readable, placeOf(context)) : readable;
        return { ...payload, metadata: { ...payload.metadata, [mark]: sealOf(payload, context) } };
      }),
    decode: async (payloads, context) =>
      payloads.map(({ metadata, data }) => {
        const { [mark]: seal, ...rest } = metadata ?? {};
        const payload: Payload = { metadata: rest, data: data ?? null };
        const right = sealOf(payload, context);
        if (seal?.length === right.length && timingSafeEqual(seal, right))
          return hidden.show(payload, placeOf(context));
        if (refusing === 'throw') throw new RefusedError(notSealed, sealCure);
        return {
          metadata: { encoding: Buffer.from('json/plain') },
          data: Buffer.from(JSON.stringify(refusal)),
        };
      }),
  };
}

/** The workflow or the activity that a payload belongs to. */
function placeOf(context: SerializationContext | undefined): string {
  if (context === undefined) return '';
  const { type, namespace, workflowId = '' } = context;
  return JSON.stringify([type, namespace, workflowId, type === 'activity' ? (context.activityId ?? '') : '']);
}
