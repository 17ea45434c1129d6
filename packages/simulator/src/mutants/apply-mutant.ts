/**
 * Preloaded into a process (`node --import`) that MILLRACE_MUTANT names a mutant for, before any other module of the
 * project is loaded. Only for processes that test the simulator itself.
 */
import { readFileSync } from 'node:fs';
import { register } from 'node:module';
import { ModuleKind, ScriptTarget, transpileModule } from 'typescript';
import { mutate } from './mutant.ts';
import type { MutantHookData } from './mutant-hook.ts';
import { MUTANTS } from './mutants.ts';

const packages = new URL('../../../', import.meta.url);
const name = process.env.MILLRACE_MUTANT;
if (name !== undefined) {
  const mutant = MUTANTS.find((each) => each.name === name);
  if (mutant === undefined) throw new Error(`there is no mutant "${name}"`);
  const source = readFileSync(new URL(mutant.module, packages), 'utf8');
  const { outputText } = transpileModule(mutate(mutant, source), {
    fileName: mutant.module,
    compilerOptions: {
      target: ScriptTarget.ES2022,
      module: ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  });
  const built = mutant.module.replace('/src/', '/dist/').replace(/\.ts$/, '.js');
  const data: MutantHookData = { url: new URL(built, packages).href, code: outputText };
  register('./mutant-hook.js', import.meta.url, { data });
}
