package validate;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import ca.uhn.fhir.validation.ValidationResult;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.r5.utils.validation.constants.BestPracticeWarningLevel;

/**
 * Validates files of FHIR R4 JSON against the published definitions and invariants, without a network: one line a
 * file, and one for each error. Ends with 1 where a file is not valid. With --warnings as the first word, tells
 * warnings too.
 */
public final class Validate {
  private Validate() {}

  public static void main(String[] words) throws Exception {
    final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    final FhirContext context = FhirContext.forR4();
    final UnknownCodeSystemWarningValidationSupport unknown =
        new UnknownCodeSystemWarningValidationSupport(context);
    unknown.setNonExistentCodeSystemSeverity(
        ca.uhn.fhir.context.support.IValidationSupport.IssueSeverity.WARNING);
    final ValidationSupportChain support =
        new ValidationSupportChain(
            new DefaultProfileValidationSupport(context),
            new CommonCodeSystemsTerminologyService(context),
            new InMemoryTerminologyServerValidationSupport(context),
            unknown);
    final FhirInstanceValidator instance = new FhirInstanceValidator(support);
    instance.setErrorForUnknownProfiles(true);
    instance.setBestPracticeWarningLevel(BestPracticeWarningLevel.Ignore);
    final FhirValidator validator = context.newValidator().registerValidatorModule(instance);

    boolean warnings = false;
    boolean valid = true;
    for (final String word : words) {
      if (word.equals("--warnings")) {
        warnings = true;
        continue;
      }
      final ValidationResult result = validator.validateWithResult(Files.readString(Path.of(word)));
      int errors = 0;
      int warned = 0;
      for (final SingleValidationMessage message : result.getMessages()) {
        final boolean error = message.getSeverity().compareTo(ResultSeverityEnum.ERROR) >= 0;
        final boolean warning = message.getSeverity() == ResultSeverityEnum.WARNING;
        errors += error ? 1 : 0;
        warned += warning ? 1 : 0;
        if (error || (warnings && warning)) {
          out.println(
              "  " + message.getSeverity() + " " + message.getLocationString() + ": "
                  + message.getMessage());
        }
      }
      out.println(
          (errors == 0 ? "valid   " : "INVALID ") + word + " (" + errors + " errors, " + warned
              + " warnings)");
      valid = valid && errors == 0;
    }
    System.exit(valid ? 0 : 1);
  }
}
