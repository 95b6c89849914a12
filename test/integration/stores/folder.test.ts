import { keepsTheContract } from './contract.ts';
import { folderStores } from './folder.ts';

keepsTheContract(folderStores());
