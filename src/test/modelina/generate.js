// Generates models of the AsyncAPI document as AsyncAPI's command line does:
//   node generate.js DOCUMENT NEW-FOLDER
import { JAVA_JACKSON_PRESET, JavaFileGenerator, TypeScriptFileGenerator } from '@asyncapi/modelina';
import parser from '@asyncapi/parser';

const [file, folder] = process.argv.slice(2);
const { document, diagnostics } = await parser.fromFile(new parser.Parser(), file).parse();
if (!document) {
  throw new Error(JSON.stringify(diagnostics));
}
await new JavaFileGenerator({ presets: [JAVA_JACKSON_PRESET], collectionType: 'List' }).generateToFiles(
  document,
  `${folder}/java/api`,
  { packageName: 'api' },
  true,
);
await new TypeScriptFileGenerator({ modelType: 'interface' }).generateToFiles(
  document,
  `${folder}/typescript`,
  { exportType: 'named' },
  true,
);
