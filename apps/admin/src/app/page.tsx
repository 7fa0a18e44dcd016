import { Start } from './start';

export default function Page() {
  return <Start />;
}
