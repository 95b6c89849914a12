import { test } from 'vitest';
import { hasS3Server } from '../../fixtures/versitygw.ts';
import { bucketStores } from './buckets.ts';
import { keepsTheContract } from './contract.ts';

if (hasS3Server()) keepsTheContract(await bucketStores());
else test.skip('stores in S3');
