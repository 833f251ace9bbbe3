/** Finds record lookups by external names that ignore inherited properties. */
import { type Expression, type Node, SyntaxKind } from "typescript/unstable/ast";
import {
  isAsExpression,
  isBinaryExpression,
  isBindingElement,
  isComputedPropertyName,
  isDeleteExpression,
  isElementAccessExpression,
  isLiteralExpression,
} from "typescript/unstable/ast/is";
import type { FileSystem } from "typescript/unstable/fs";
import { API, type Type } from "typescript/unstable/sync";

/**
 * Returns each `record[name]`, `name in record` and `{ [name]: value } = record` in which `name` may be any text, by its type, as `path:line: text`. Names that the code itself
 * lists, such as literals and unions of them, are not found, nor is `delete record[name]`, which only takes away what is there.
 * @param folder the folder of `tsconfig.json`
 * @param isChecked whether a file is looked at, by its path from the folder
 */
export function inheritingAccesses(folder: string, isChecked: (path: string) => boolean, fs?: FileSystem): string[] {
  const api = new API({ cwd: folder, ...(fs === undefined ? {} : { fs }) });
  try {
    const projects = api.updateSnapshot({ openProjects: [`${folder}/tsconfig.json`] }).getProjects();
    return projects.flatMap(({ program, checker }) => {
      const known = new Map<number, boolean>();
      const isAnyText = (type: Type): boolean => {
        const is = known.get(type.id) ?? checker.isTypeAssignableTo(checker.getStringType(), type);
        known.set(type.id, is);
        return is;
      };
      return program.getSourceFileNames().flatMap((file) => {
        const path = file.slice(folder.length + 1);
        if (!file.startsWith(`${folder}/`) || path.startsWith("node_modules/") || !isChecked(path)) return [];
        const source = program.getSourceFile(file);
        if (source === undefined) return [];
        const found = accessesIn(source);
        const names = checker.getTypeAtLocation(found.map(({ name }) => name));
        return found.flatMap(({ node }, at) => {
          const name = names[at];
          if (name === undefined || !isAnyText(name)) return [];
          const line = source.text.slice(0, node.getStart(source)).split("\n").length;
          return [`${path}:${line}: ${node.getText(source)}`];
        });
      });
    });
  } finally {
    api.close();
  }
}

interface Access {
  readonly node: Node;
  readonly name: Expression;
}

function accessesIn(root: Node): Access[] {
  const found: Access[] = [];
  const visit = (node: Node): void => {
    const name = nameIn(node);
    if (name !== undefined && !isLiteralExpression(name)) found.push({ node, name: uncast(name) });
    node.forEachChild(visit);
  };
  visit(root);
  return found;
}

/** Returns the name by which a record is accessed, if a node is such an access. */
function nameIn(node: Node): Expression | undefined {
  if (isElementAccessExpression(node)) return isDeleteExpression(node.parent) ? undefined : node.argumentExpression;
  if (isBinaryExpression(node)) return node.operatorToken.kind === SyntaxKind.InKeyword ? node.left : undefined;
  if (!isBindingElement(node) || node.propertyName === undefined) return undefined;
  return isComputedPropertyName(node.propertyName) ? node.propertyName.expression : undefined;
}

/** A cast to a name listed in the code does not make the text such a name. */
function uncast(name: Expression): Expression {
  return isAsExpression(name) ? uncast(name.expression) : name;
}
