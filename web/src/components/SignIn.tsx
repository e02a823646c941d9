import type { FormEvent } from "react";
import {
  Button,
  Dialog,
  FieldError,
  Form,
  Heading,
  Input,
  Label,
  Modal,
  ModalOverlay,
  Tab,
  TabList,
  TabPanel,
  Tabs,
  Text,
  TextField,
  type TextFieldProps,
} from "react-aria-components";
import { useTranslation } from "react-i18next";
import { useSignIn } from "../session";
import { Icon } from "./icons";
import { Refusal } from "./Refusal";

const PASSWORD_LENGTH = 10;
const MODES = ["signIn", "register", "claim"] as const;

type Props = { isOpen: boolean; onOpenChange: (isOpen: boolean) => void };

export function SignIn(props: Props) {
  const { t } = useTranslation();
  return (
    <ModalOverlay className="overlay" isDismissable {...props}>
      <Modal className="modal">
        <Dialog className="dialog">
          {({ close }) => (
            <>
              <Heading slot="title">{t("account.title")}</Heading>
              <Button slot="close" className="close" aria-label={t("account.close")}>
                <Icon name="close" />
              </Button>
              <Tabs>
                <TabList className="tabs" aria-label={t("account.title")}>
                  {MODES.map((mode) => (
                    <Tab key={mode} id={mode}>
                      {t(`account.${mode}`)}
                    </Tab>
                  ))}
                </TabList>
                {MODES.map((mode) => (
                  <TabPanel key={mode} id={mode}>
                    <SignInForm mode={mode} onDone={close} />
                  </TabPanel>
                ))}
              </Tabs>
            </>
          )}
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}

function SignInForm({ mode, onDone }: { mode: (typeof MODES)[number]; onDone: () => void }) {
  const { t } = useTranslation();
  const signIn = useSignIn(t("account.label"));
  const isNew = mode !== "signIn";
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    const text = (name: string) => String(given.get(name) ?? "");
    signIn.mutate(
      { email: text("email"), password: text("password"), alias: text("alias"), code: text("code") },
      { onSuccess: onDone },
    );
  };
  return (
    <Form className="form" onSubmit={submit}>
      {mode === "claim" && (
        <Field name="code" label={t("account.code")} autoComplete="off" help={t("account.codeHelp")} />
      )}
      <Field name="email" type="email" label={t("account.email")} autoComplete="username" />
      <Field
        name="password"
        type="password"
        label={t("account.password")}
        autoComplete={isNew ? "new-password" : "current-password"}
        minLength={isNew ? PASSWORD_LENGTH : undefined}
        help={isNew ? t("account.passwordHelp", { count: PASSWORD_LENGTH }) : undefined}
      />
      {mode === "register" && (
        <Field
          name="alias"
          label={t("account.alias")}
          autoComplete="nickname"
          help={t("account.aliasHelp")}
        />
      )}
      <Refusal error={signIn.error} />
      <button className="primary" type="submit" disabled={signIn.isPending}>
        {t(`account.${mode}`)}
      </button>
    </Form>
  );
}

function Field({ label, help, ...props }: TextFieldProps & { label: string; help?: string }) {
  const { t } = useTranslation();
  return (
    <TextField className="field" isRequired {...props}>
      <Label>{label}</Label>
      <Input />
      {help && (
        <Text slot="description" className="help">
          {help}
        </Text>
      )}
      {/* In the language of the page: the browser would use its own. */}
      <FieldError className="help wrong">
        {({ validationDetails: wrong }) =>
          t(`account.wrong.${wrong.valueMissing ? "missing" : wrong.tooShort ? "short" : "other"}`)
        }
      </FieldError>
    </TextField>
  );
}
