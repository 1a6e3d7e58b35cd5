/** Where, below the data folder, a machine keeps the key that other machines know it by. */
export const identityFolder = "tls";
