/** The page that opens the database in the console: one document for each environment, in a collection that sorts first. */

/** Name of the collection. An underscore sorts before letters. */
export const frontPageCollection = "_front_page";
