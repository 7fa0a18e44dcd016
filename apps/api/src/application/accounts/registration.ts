/** Who may make an account for themselves. */
export class Registration {
  constructor(readonly mode: 'open' | 'invite' | 'closed') {}
}
