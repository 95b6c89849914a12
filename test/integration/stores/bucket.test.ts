import { test } from 'vitest';
import { hasS3Server } from '../../fixtures/versitygw.ts';
import { bucketStores } from './buckets.ts';
import { keepsTheContract } from './contract.ts';
import { findsMutations } from './mutations.ts';
import { endsRacesWell } from './races.ts';

if (hasS3Server()) {
  const kind = await bucketStores();
  keepsTheContract(kind);
  endsRacesWell(kind);
  findsMutations(kind);
} else test.skip('stores in S3');
