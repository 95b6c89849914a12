import { keepsTheContract } from './contract.ts';
import { folderStores } from './folder.ts';
import { findsMutations } from './mutations.ts';
import { endsRacesWell } from './races.ts';

const kind = folderStores();
keepsTheContract(kind);
endsRacesWell(kind);
findsMutations(kind);
