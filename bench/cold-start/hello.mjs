// The smallest function there is, to be served by the unbundled Functions Framework.
export const hello = (_, response) => void response.send("ready\n");
