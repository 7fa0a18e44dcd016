import { client } from './client';
import { codeOf } from './failure';
import { missingSecondFactor } from './second-factor';

/** Asks the person for a confirmation; resolves with whether they gave it. */
type Ask = () => Promise<boolean>;

let ask: Ask = async () => false;
let asking: Promise<boolean> | null = null;

/** Sets the function that asks for proofs. */
export function askForProofsBy(question: Ask): void {
  ask = question;
}

/**
 * Makes a call that the service may want a fresh proof for of who makes it: then the person is asked, and the call is made
 * once more. Several such calls at a time share one question. People who must set up a second factor first are taken there.
 */
export async function sensitive<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (codeOf(error) !== 'mfa_required') throw error;
    if (!missingSecondFactor.is && (await missingSecondFactor.check(client))) throw error;
    asking ??= ask().finally(() => {
      asking = null;
    });
    if (!(await asking)) throw error;
    return call();
  }
}
