/** Asks a person where to begin. */
import { cancel, confirm, intro, isCancel, select, text } from "@clack/prompts";

/** The user's answers. */
export interface Answers {
  readonly project: string | undefined;
  readonly urls: readonly string[];
  readonly variables: readonly string[];
}

/** Asks. @returns `undefined` where the person gave up */
export async function askForSource(): Promise<Answers | undefined> {
  intro("A first monitor.yaml");
  const given = <T>(answer: T): Exclude<T, symbol> | undefined => {
    if (!isCancel(answer)) return answer as Exclude<T, symbol>;
    cancel("No file was written.");
    return undefined;
  };
  const source = given(
    await select({
      message: "What do you want to monitor?",
      options: [
        {
          value: "project",
          label: "A Google Cloud project",
          hint: "read-only, with your own credentials",
        },
        { value: "urls", label: "Addresses", hint: "https://shop.example.com" },
      ],
    }),
  );
  if (source === undefined) return undefined;
  if (source === "project") {
    const suggestion = process.env["GOOGLE_CLOUD_PROJECT"] ?? "";
    const project = given(
      await text({
        message: "Which project?",
        placeholder: "shop-staging",
        initialValue: suggestion,
        validate: (value) => (value?.trim() ? undefined : "Enter the project ID."),
      }),
    );
    return project === undefined ? undefined : { project: project.trim(), urls: [], variables: [] };
  }
  const urls = given(
    await text({
      message: "Which addresses? Separate them with spaces.",
      placeholder: "https://shop.example.com https://api.shop.example.com/health",
      validate: (value) => (value?.trim() ? undefined : "Enter at least one."),
    }),
  );
  if (urls === undefined) return undefined;
  const hasDatabase = given(
    await confirm({
      message: "Is the URL of a database or of Redis in an environment variable?",
      initialValue: false,
    }),
  );
  if (hasDatabase === undefined) return undefined;
  const variables = hasDatabase
    ? given(await text({ message: "Which variables? Separate the names with spaces.", placeholder: "DATABASE_URL" }))
    : "";
  if (variables === undefined) return undefined;
  const words = (answer: string): string[] => answer.split(/[\s,]+/).filter((word) => word !== "");
  return { project: undefined, urls: words(urls), variables: words(variables) };
}
