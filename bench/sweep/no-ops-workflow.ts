import { proxyActivities } from '@temporalio/workflow';

const { nothing } = proxyActivities<{ nothing(): Promise<void> }>({ startToCloseTimeout: '1 minute' });

/** Runs `count` activities, `atOnce` of them at the same time. */
export async function noOps({ count, atOnce }: { count: number; atOnce: number }): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next++ < count) await nothing();
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}
