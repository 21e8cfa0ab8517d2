# Print the address and the logins of the demonstration.

print_logins() { # FILE: a demo.env
    . "$1"
    say "
Ready: $BASE_URL

                 login                            password
  administrator  $(printf '%-32s' "$ADMIN_LOGIN") $ADMIN_PASSWORD
  supervisor     $(printf '%-32s' "$SUPERVISOR_LOGIN") $SUPERVISOR_PASSWORD
  operator       $(printf '%-32s' "$OPERATOR_LOGIN") $OPERATOR_PASSWORD   (line $OPERATOR_LINE)
  operator       $(printf '%-32s' "$OPERATOR2_LOGIN") $OPERATOR2_PASSWORD   (line $OPERATOR2_LINE)
  accountant     $(printf '%-32s' "$ACCOUNTANT_LOGIN") $ACCOUNTANT_PASSWORD   (line $ACCOUNTANT_LINE)

All of it as shell assignments: $1."
}
